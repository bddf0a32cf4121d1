"""A renderer file applied to a set of scenes."""
