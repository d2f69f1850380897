"""The rehearsal: a real deploy to an embedded AWS, and real questions to it.

Nothing of this is in the wheel, and nothing of the product knows of it.
"""
