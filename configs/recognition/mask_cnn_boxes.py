# One mask, of the object, learned from boxes: for data without key points, such as a store's crops.
_base_ = "_base_/small.py"
system = "mask_cnn_boxes"
side = 192
