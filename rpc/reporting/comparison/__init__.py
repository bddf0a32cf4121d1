"""Several systems' results side by side: paired tests and the paper's tables."""
