"""Results to reports: JSON, markdown and pictures, each number with its origin."""

from rpc.reporting.comparison.compare import compare_results, write_comparison
from rpc.reporting.evaluation.counts import CountedCarts, is_counts_list, read_counts, write_counts
from rpc.reporting.evaluation.evaluate import Evaluation, evaluate
from rpc.reporting.evaluation.reading import Reading, read_boxes, read_carts
from rpc.reporting.evaluation.report import build_report, write_report
from rpc.reporting.evaluation.report_folder import ReportFolder, read_report_folder
from rpc.reporting.evaluation.results import (
    Results,
    read_results,
    results_of_detections,
    results_of_entries,
)
from rpc.reporting.evaluation.tables import cart_table, confusions, sku_table
from rpc.reporting.evaluation.worst_carts import write_worst_carts
from rpc.reporting.manifest import manifest
from rpc.reporting.pages.paper_table import write_paper_table
from rpc.reporting.supervision import SUPERVISION_TEXT, Supervision

__all__ = [
    "SUPERVISION_TEXT",
    "CountedCarts",
    "Evaluation",
    "Reading",
    "ReportFolder",
    "Results",
    "Supervision",
    "build_report",
    "cart_table",
    "compare_results",
    "confusions",
    "evaluate",
    "is_counts_list",
    "manifest",
    "read_boxes",
    "read_carts",
    "read_counts",
    "read_report_folder",
    "read_results",
    "results_of_detections",
    "results_of_entries",
    "sku_table",
    "write_comparison",
    "write_counts",
    "write_paper_table",
    "write_report",
    "write_worst_carts",
]
