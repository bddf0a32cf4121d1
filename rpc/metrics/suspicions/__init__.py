"""Likely mistakes in results that are right by their form: pure functions of arrays.

Each gives a `Suspicion` or None; `rpc.reporting.evaluation.suspicious` calls them all.
"""
