# Parts by key points: four streams, whitened to 4,096 numbers or what the photos allow.
_base_ = "_base_/small.py"
system = "mask_cnn_4"
side = 192
