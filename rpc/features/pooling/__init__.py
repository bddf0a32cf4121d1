"""Maps to one vector: first- and second-order pooling."""
