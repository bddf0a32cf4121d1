"""Second looks at the first hits of a search."""
