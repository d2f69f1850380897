"""What a reviewer runs on templates; it moves to `commands`."""
