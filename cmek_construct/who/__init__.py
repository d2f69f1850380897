"""Who may do what by the templates: everybody who is asked about, with each answer."""
