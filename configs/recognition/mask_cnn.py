# Parts by key points. For data with boxes alone: mask_cnn_boxes.py.
_base_ = "_base_/small.py"
system = "mask_cnn"
side = 192
