# Six numbers a window: more freedom, which the paper found to overfit.
_base_ = "_base_/small.py"
system = "st_cnn_affine"
side = 192
