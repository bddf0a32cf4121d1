# What a laptop trains: pretrained EfficientNet-lite0 under RTMDet's neck and head.
# docs/results/README.md compares it with the other configs by accuracy per CPU minute.
_base_ = [
    "_base_/default_runtime.py",
    "_base_/datasets/checkout.py",
    "_base_/schedules/annealed.py",
    "_base_/models/rtmdet_lite0.py",
]
image_size = 416
# Folded batch normalisation catches no step that is too large for the pretrained layers.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.2))))
