"""Results to reports: JSON, markdown and pictures, each number with its origin."""

from rpc.reporting.draw import draw_tray
from rpc.reporting.manifest import manifest
from rpc.reporting.matching import Matching, match_items, truth_of
from rpc.reporting.report import build_report, write_report
from rpc.reporting.results import (
    Results,
    read_results,
    results_of_detections,
    results_of_entries,
)
from rpc.reporting.supervision import SUPERVISION_TEXT, Supervision
from rpc.reporting.tables import cart_table, confusions, sku_table

__all__ = [
    "SUPERVISION_TEXT",
    "Matching",
    "Results",
    "Supervision",
    "build_report",
    "cart_table",
    "confusions",
    "draw_tray",
    "manifest",
    "match_items",
    "read_results",
    "results_of_detections",
    "results_of_entries",
    "sku_table",
    "truth_of",
    "write_report",
]
