"""The object that all photos of a set share, found without labels."""
