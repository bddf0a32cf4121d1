"""Several systems' results side by side: differences, paired tests, means over seeds."""
