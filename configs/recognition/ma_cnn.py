# Four parts by groups of channels.
_base_ = "_base_/small.py"
system = "ma_cnn"
side = 192
