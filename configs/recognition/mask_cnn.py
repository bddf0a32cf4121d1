# Parts by key points. Data with boxes alone: options.masks=boxes.
_base_ = "_base_/small.py"
system = "mask_cnn"
side = 192
