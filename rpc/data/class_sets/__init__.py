"""Public data sets of one class a photo, and crops of stores, in one shape."""
