"""How good the shopping lists and the boxes are: functions of arrays, no torch."""

from rpc.metrics.checkout import CheckoutMetrics, checkout_metrics, checkout_metrics_by_level
from rpc.metrics.detection import (
    DetectionMetrics,
    detection_metrics,
    detection_metrics_by_group,
)
from rpc.metrics.levels import AVERAGED, level_groups

__all__ = [
    "AVERAGED",
    "CheckoutMetrics",
    "DetectionMetrics",
    "checkout_metrics",
    "checkout_metrics_by_level",
    "detection_metrics",
    "detection_metrics_by_group",
    "level_groups",
]
