# A tensor sketch in place of all products.
_base_ = "_base_/small.py"
system = "compact"
