"""A gallery filled, tuned on validation trays, and measured."""
