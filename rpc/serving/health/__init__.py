"""How well the counter works: corrections, looks of trays, numbers for Prometheus."""
