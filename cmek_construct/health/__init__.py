"""What is wrong with a deployed role and key, and what that does to people. It asks nobody."""
