"""The one reader of templates: files, cloud assemblies, values, and what in them is Pinecone's.

Pure Python. `read_run` reads files and folders, `find` says what is Pinecone's in them.
"""

from cmek_construct.templates.files import template_of
from cmek_construct.templates.found import Output, Place
from cmek_construct.templates.pinecone import find
from cmek_construct.templates.reading import UnreadableError, parsed
from cmek_construct.templates.run import Run, read_run
from cmek_construct.templates.stacks import Stack

__all__ = ["Output", "Place", "Run", "Stack", "UnreadableError", "find", "parsed", "read_run", "template_of"]
