"""Finding the same product again: descriptors, localisation without labels, and the gallery."""
