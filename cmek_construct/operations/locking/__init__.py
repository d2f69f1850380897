"""`cmek lock` and `cmek unlock`."""
