# A number of updates (--iterations): warm-up, flat, then a cosine to almost nothing, by the updates
# made; the clock decides nothing. --minutes is a cap that cuts the updates where they do not fit.
train_cfg = dict(type="TimedTrainLoop", max_iters=800, val_at=(0.5, 1.0))
val_cfg = dict(type="ValLoop")
schedule = dict(type="ProgressSchedule", warmup=0.03, flat_until=0.4, end_factor=0.01)

optim_wrapper = dict(
    type="CheckedOptimWrapper",
    optimizer=dict(type="AdamW", lr=0.001, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0, bypass_duplicate=True),
    clip_grad=dict(max_norm=35, norm_type=2),
)

# The average looks back 1 / momentum = 200 iterations, a fraction of the 800 (mmdet's own 0.0002
# looks back 5,000: such a short run would still look untrained), and `gamma` shortens it further at
# the start.
ema = dict(
    type="EMAHook", ema_type="ExpMomentumEMA", momentum=0.005, gamma=100, update_buffers=True
)
