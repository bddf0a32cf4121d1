"""Several classifiers of boxes joined into one."""
