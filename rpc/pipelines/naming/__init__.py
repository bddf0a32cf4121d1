"""Crops of trays named from exemplars, and measured."""
