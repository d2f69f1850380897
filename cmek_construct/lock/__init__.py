"""The lock: which role and key a stack has, kept in `cmek.lock`, and what would change that.

Pure Python, the standard library alone: the guardrails read the file in any app.
"""
