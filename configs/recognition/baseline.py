# What every other system has to beat under the same budget.
_base_ = "_base_/small.py"
system = "baseline"
