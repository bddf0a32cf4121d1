# Parts by key points: head and body of a bird.
_base_ = "_base_/small.py"
system = "part_rcnn"
side = 192
