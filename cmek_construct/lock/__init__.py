"""The lock: what Pinecone stores for good, kept in `cmek.lock`, and what would change it.

Pure Python over `cmek_construct.templates`: the guardrails read the file in any app.
"""
