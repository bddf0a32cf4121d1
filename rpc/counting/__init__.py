"""Detections to shopping lists: duplicates, threshold, and the choice of both on validation."""

from rpc.counting.certainty import certainties, certainty
from rpc.counting.choose import CurvePoint, RuleChoice, RuleGrid, choose_rule
from rpc.counting.rule import CountingRule
from rpc.counting.suppression import Overlaps, suppress

__all__ = [
    "CountingRule",
    "CurvePoint",
    "Overlaps",
    "RuleChoice",
    "RuleGrid",
    "certainties",
    "certainty",
    "choose_rule",
    "suppress",
]
