"""Local comparison: a crop and exemplar pictures, place by place."""
