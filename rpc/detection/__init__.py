"""The detector and its training: the one place that imports mmdet, mmcv and mmengine.

`rpc.detection.runtime.setup()` comes before the first import of any of the three.
"""
