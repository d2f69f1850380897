"""`cmek suspend` and `cmek resume`: the emergency brake."""
