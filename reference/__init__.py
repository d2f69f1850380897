"""What in docs/ is made of the code: the reference, and the pictures. `scripts/docs` writes it."""
