"""`cmek adopt`: takes over a role and a key that are there already."""
