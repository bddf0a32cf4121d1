"""Photos that come in, and pictures of trays that are kept for some days."""
