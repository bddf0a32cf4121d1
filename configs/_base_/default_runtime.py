# Where and how every training runs; nothing here changes what is learned.
default_scope = "mmdet"
custom_imports = dict(
    imports=[
        "rpc.detection.backbones",
        "rpc.detection.dataset",
        "rpc.detection.hooks",
        "rpc.detection.loops",
        "rpc.detection.metric",
        "rpc.detection.optim",
        "rpc.detection.schedule",
        "rpc.detection.transforms",
    ],
    allow_failed_imports=False,
)

default_hooks = dict(
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=20, log_metric_by_epoch=False),
    sampler_seed=dict(type="DistSamplerSeedHook"),
    # The loop saves its resume point itself, and the rate follows the progress.
    checkpoint=None,
    param_scheduler=None,
)
display = dict(type="TrainingDisplay")

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),
)  # gloo where there is no GPU
vis_backends = [dict(type="LocalVisBackend"), dict(type="TensorboardVisBackend")]
visualizer = dict(type="Visualizer", vis_backends=vis_backends, name="visualizer")
log_processor = dict(type="LogProcessor", window_size=20, by_epoch=False)
log_level = "INFO"
load_from = None
resume = False
