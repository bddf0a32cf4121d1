# Five steps of Newton and Schulz, as in the paper.
_base_ = "_base_/small.py"
system = "isqrt"
