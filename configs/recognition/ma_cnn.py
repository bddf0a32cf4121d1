# Four parts by groups of channels, seen through windows of half the photo's side: a package fills
# its photo, where the paper's birds leave most of theirs empty.
_base_ = "_base_/small.py"
system = "ma_cnn"
side = 192
options = dict(window=0.5)
