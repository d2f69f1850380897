"""Who may do what, answered by a policy simulator that knows nothing of this library."""
