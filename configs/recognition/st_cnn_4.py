# Four windows of half the side, one a quarter of the photo at first.
_base_ = "_base_/small.py"
system = "st_cnn_4"
side = 192
