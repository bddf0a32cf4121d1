# The class-agnostic start: any product on any tray, learnt from drawn packages alone
# (tools/make_start.py).
_base_ = "cpu_default.py"
agnostic = True
