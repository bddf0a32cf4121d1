"""The recogniser that a counter's model file carries: a system on crops of a detector's boxes."""
