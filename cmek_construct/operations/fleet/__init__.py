"""What a stack set has made in its accounts."""
