"""How good the shopping lists and the boxes are: functions of arrays, no torch."""

from rpc.metrics.bootstrap import CheckoutIntervals, bootstrap_intervals
from rpc.metrics.box_matching import FoundBoxes
from rpc.metrics.calibration import Reliability, ece_interval, reliability
from rpc.metrics.checkout import CheckoutMetrics, checkout_metrics, checkout_metrics_by_level
from rpc.metrics.coverage import CoverageCurve, coverage_curve
from rpc.metrics.detection import (
    DetectionMetrics,
    detection_metrics,
    detection_metrics_by_group,
)
from rpc.metrics.levels import AVERAGED, level_groups
from rpc.metrics.paired import PairedTest, holm, paired_intervals, paired_test, sign_flip_p
from rpc.metrics.passing import Passing, binomial_interval, passing
from rpc.metrics.rpctool import RpctoolMetrics, rpctool_metrics
from rpc.metrics.specs import METRICS, MetricSpec

__all__ = [
    "AVERAGED",
    "METRICS",
    "CheckoutIntervals",
    "CheckoutMetrics",
    "CoverageCurve",
    "DetectionMetrics",
    "FoundBoxes",
    "MetricSpec",
    "PairedTest",
    "Passing",
    "Reliability",
    "RpctoolMetrics",
    "binomial_interval",
    "bootstrap_intervals",
    "checkout_metrics",
    "checkout_metrics_by_level",
    "coverage_curve",
    "detection_metrics",
    "detection_metrics_by_group",
    "ece_interval",
    "holm",
    "level_groups",
    "paired_intervals",
    "paired_test",
    "passing",
    "reliability",
    "rpctool_metrics",
    "sign_flip_p",
]
