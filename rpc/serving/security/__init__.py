"""Who asks, and may they: keys, sessions, certificates."""
