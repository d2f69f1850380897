"""The acts of the rehearsal, in the order in which they are played."""
