# The paper's baseline: the same with a ResNet-101.
_base_ = "faster_rcnn_r50_fpn_rpc.py"
model = dict(
    backbone=dict(depth=101, init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet101"))
)
