"""`cmek retire`: the end of a key, in the one right order."""
