"""Words and barcodes on packs: read, kept by SKU, compared."""
