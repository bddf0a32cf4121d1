# RTMDet-s from scratch: no weights are downloaded.
_base_ = [
    "_base_/models/rtmdet.py",
    "_base_/datasets/checkout.py",
    "_base_/schedules/annealed.py",
    "_base_/default_runtime.py",
]
image_size = 640
train_cfg = dict(max_iters=4000, val_at=(0.25, 0.5, 0.75, 1.0))
ema = dict(momentum=0.001)  # looks back 1,000 iterations
