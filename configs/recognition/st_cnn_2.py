# Two windows of half the side; the photo is larger, as windows are cut out of it.
_base_ = "_base_/small.py"
system = "st_cnn_2"
side = 192
