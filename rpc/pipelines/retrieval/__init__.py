"""Retrieval methods measured on a data set."""
