# Three scales, each cut out of the one before.
_base_ = "_base_/small.py"
system = "ra_cnn"
side = 192
