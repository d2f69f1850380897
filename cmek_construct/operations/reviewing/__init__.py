"""For the reviewer: template files, the gate, the table of who can do what, the page."""
