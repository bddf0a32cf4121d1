"""The classical camera: statistics of target photos, no network."""
