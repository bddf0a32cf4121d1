# The counter's own recogniser, here as one of many: what it gives without boxes that frame nothing.
_base_ = "_base_/small.py"
system = "crop_classifier"
side = 128
