"""The reviewer's page: what templates let whom do, in words, pictures and differences.

Pure: from templates that were read to text that is written. Nothing here asks a clock or a network.
"""
