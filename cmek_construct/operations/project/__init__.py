"""`cmek project`: the Pinecone project that is encrypted with a key."""
