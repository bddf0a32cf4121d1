"""Figures for Prometheus, of this process."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The figures of one counter.

    Args:
        waiting: how many trays wait to be counted.
    """

    def __init__(self, waiting: Callable[[], float]) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "rpc_requests", "Requests", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "rpc_request_seconds",
            "Seconds of requests",
            ["method", "route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.counting_seconds = Histogram(
            "rpc_counting_seconds", "Seconds of a tray", buckets=SECONDS, registry=self.registry
        )
        self.events = Counter("rpc_events", "Events of sales", ["type"], registry=self.registry)
        queue = Gauge("rpc_counting_queue", "Trays that wait", registry=self.registry)
        queue.set_function(waiting)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)
