"""The one reader of templates: files, assemblies, values, and what in them is Pinecone's."""
