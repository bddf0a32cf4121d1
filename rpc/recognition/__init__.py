"""Which SKU is on a crop: systems that name what a detector found."""
