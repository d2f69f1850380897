"""What a template must never say about Pinecone's role and key: rules, pure, and the plugin of them."""
