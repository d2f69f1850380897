"""The one door to AWS: sessions, and a stack, a role and a key as they are.

What is read becomes plain objects (`objects`), which everybody else judges; what could not be read is a value there,
`Unread`. Nothing outside of this room imports boto3.
"""
