"""Recognition systems trained and measured on a data set."""
