"""What our app costs beside the bare L2s, in Python and in JavaScript: `scripts/bench`."""
