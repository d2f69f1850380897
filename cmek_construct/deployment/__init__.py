"""From cmek.yaml to one stack per entry: what app.py is made of."""
