"""One system's results: read, counted, scored, and made the object of `report.json`."""
