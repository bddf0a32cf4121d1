"""`report.html`: the report as one page, with charts and the pictures of the worst carts.

The page needs no network and no script. All text of data files is escaped by the template.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from rpc.data.plain_text import plain_text
from rpc.metrics.specs import METRICS, OF_SIZES, OF_SUPERCATEGORIES, metrics_of
from rpc.reporting.pages import plots, wording
from rpc.reporting.pages.markdown import CONFUSIONS_SHOWN

CARTS_SHOWN = 30


def report_page(report: Mapping[str, Any]) -> str:
    """The page of a report made by `build_report`."""
    seen, unseen = wording.seen_skus(report)
    worst = report.get("worst_carts") or {"pictures": [], "missing": []}
    carts = {cart["image_id"]: cart for cart in report["carts"]}
    return _template().render(
        report=report,
        doubt=report.get("doubt"),
        metrics=METRICS,
        charts=_charts(report),
        seen_skus=seen,
        unseen_skus=unseen,
        pairs=report["confusions"][:CONFUSIONS_SHOWN],
        pictures=[one | {"cart": carts.get(one["image_id"])} for one in worst["pictures"]],
        missing=worst["missing"],
        carts=report["carts"][:CARTS_SHOWN],
        of_sizes=OF_SIZES,
        of_supercategories=OF_SUPERCATEGORIES,
        wording=wording,
    )


def _charts(report: Mapping[str, Any]) -> dict[str, list[Markup]]:
    """The charts by section; none where there is nothing to show."""
    rule, curve = report["counting"]["rule"], report.get("threshold_curve")
    coverage, block = report["coverage"], report["look_alikes"]
    found = (report.get("doubt") or {}).get("reliability")
    return {
        "levels": [
            plots.levels_plot(report["levels"], spec.name)
            for spec in sorted(metrics_of("counts"), key=lambda spec: not spec.is_rate)
        ],
        "sizes": [plots.sizes_plot(report["sizes"])],
        "reliability": [plots.reliability_plot(found)] if found else [],
        "coverage": [plots.coverage_plot(coverage)] if coverage else [],
        "threshold": [plots.threshold_plot(curve, rule["threshold"])] if curve and rule else [],
        "look_alikes": [plots.look_alikes_plot(block)] if block["skus"] else [],
    }


def harmless(value: object) -> object:
    """A value of a page without characters that steer the reader's screen; markup stays."""
    return plain_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("rpc.reporting.pages", "."),
        autoescape=True,
        finalize=harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja")
