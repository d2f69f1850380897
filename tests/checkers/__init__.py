"""The checkers that run offline, each over the templates of all forms."""
