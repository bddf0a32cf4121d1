"""Detections to shopping lists: duplicates, threshold, and the choice of both on validation."""

from rpc.counting.certainty import certainties, certainty
from rpc.counting.choose import CurvePoint, RuleChoice, RuleGrid, choose_rule
from rpc.counting.fates import ItemFates, item_fates
from rpc.counting.matching import Matching, match_items, truth_of
from rpc.counting.rule import CountingRule, CountsBy, scores_to_count_by
from rpc.counting.suppression import Overlaps, suppress

__all__ = [
    "CountingRule",
    "CountsBy",
    "CurvePoint",
    "ItemFates",
    "Matching",
    "Overlaps",
    "RuleChoice",
    "RuleGrid",
    "certainties",
    "certainty",
    "choose_rule",
    "item_fates",
    "match_items",
    "scores_to_count_by",
    "suppress",
    "truth_of",
]
