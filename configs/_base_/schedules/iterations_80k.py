# The paper's schedule: 2 images on each of 2 GPUs, SGD at 0.02, a tenth of it after 60,000 steps.
train_cfg = dict(
    type="TimedTrainLoop", max_iters=80_000, val_at=(0.25, 0.5, 0.75, 0.875, 1.0), save_minutes=10
)
val_cfg = dict(type="ValLoop")
schedule = dict(
    type="ProgressSchedule", warmup=0.00625, flat_until=1.0, milestones=(0.75,), gamma=0.1
)

optim_wrapper = dict(
    type="CheckedOptimWrapper",
    optimizer=dict(type="SGD", lr=0.02, momentum=0.9, weight_decay=0.0001),
)
ema = None
