"""The constructs: from what a user gives to a template."""
