"""A run's folder: settings, journal, interruption, progress, tensor files."""
