"""Keys of customers: the kit that a vendor sends, and the check of what comes back."""
