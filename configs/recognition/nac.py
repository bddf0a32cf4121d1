# Parts from labels alone, by the places where channels fire.
_base_ = "_base_/small.py"
system = "nac"
side = 192
