"""The one loop that recognition systems are trained by, and its batches."""
