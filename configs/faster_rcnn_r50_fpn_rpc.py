# The paper's baseline with a ResNet-50: short side 800 px, 2 images on each of 2 GPUs.
_base_ = [
    "_base_/models/faster_rcnn_fpn.py",
    "_base_/datasets/checkout.py",
    "_base_/schedules/iterations_80k.py",
    "_base_/default_runtime.py",
]
image_size = None  # the pipelines below say it: the shorter side counts, and nothing is padded
train_pipeline = [
    dict(type="LoadRGB"),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(type="Resize", scale=(1333, 800), keep_ratio=True),
    dict(type="PackDetInputs"),
]
test_pipeline = [
    dict(type="LoadRGB"),
    dict(type="Resize", scale=(1333, 800), keep_ratio=True),
    dict(
        type="PackDetInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]
train_dataloader = dict(batch_size=2, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=1, dataset=dict(pipeline=test_pipeline))
