"""Sets of local descriptors to one vector, and what normalises such vectors."""
