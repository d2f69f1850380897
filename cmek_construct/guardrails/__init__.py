"""What a template must never say about Pinecone's role and key: rules, and the plugin of them.

Pure Python over the JSON of templates, but for `plugin`.
"""
