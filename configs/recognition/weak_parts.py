# Parts from labels alone; most of the work is in closed form, beside the budget.
_base_ = "_base_/small.py"
system = "weak_parts"
side = 192
