# One backbone, [D, D], 64 channels of it: 4,096 products.
_base_ = "_base_/small.py"
system = "bilinear"
