"""What Pinecone stores for good, kept in `cmek.lock`, and what would change it: pure, for the guardrails of any app."""
