"""`cmek doctor`: whether what is deployed is what the file says, and healthy."""
