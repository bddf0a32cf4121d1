"""The jobs: each function takes settings, writes files and returns the path it wrote."""
