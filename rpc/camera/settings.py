"""Settings of the watcher: how long is still, how much is a change, which part of the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

Region = tuple[float, float, float, float]


@dataclass(frozen=True)
class WatchSettings:
    """How a `rpc.camera.watcher.TrayWatcher` decides; docs/camera.md says how it was chosen.

    Attributes:
        still_s: a tray is read after so many seconds without movement.
        edge_wait_s: something that reaches over the picture's edge is a hand; where it has not
            moved at all for so many seconds, it is an item. 0: nothing is a hand by reaching over
            the edge, for places where whole trays are pushed in.
        left_s: seconds for which the state is `left` before it is `empty`.
        most_gap_s: after more seconds without a frame, stillness starts anew.
        least_cells: a change of fewer cells (of about 1,200) is none.
        least_contrast: of an edge that can be told from nothing, in units of the natural logarithm
            of brightness: 0.06 is an edge between two light greys that differ by a tenth.
        settle_s: time constant by which the picture of the empty tray follows slow changes.
        region: the tray's part of the picture: x1, y1, x2, y2 as fractions of width and height.

    Raises:
        ValueError: a value is out of its range.
    """

    still_s: float = 0.6
    edge_wait_s: float = 5.0
    left_s: float = 1.0
    most_gap_s: float = 2.0
    least_cells: int = 3
    least_contrast: float = 0.06
    settle_s: float = 10.0
    region: Region = (0.0, 0.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name not in ("region", "least_cells"):
                self._require_number(field.name, above=field.name not in ("edge_wait_s", "left_s"))
        if type(self.least_cells) is not int or self.least_cells < 1:
            raise ValueError(
                f"watcher: least_cells: expected an integer >= 1, got {self.least_cells!r}"
            )
        x1, y1, x2, y2 = self.region
        if not (0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1):
            raise ValueError(
                "watcher: region: expected x1 < x2 and y1 < y2 as fractions of the picture, 0 to "
                f"1, got {self.region}"
            )

    def _require_number(self, name: str, *, above: bool) -> None:
        value = getattr(self, name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or value < 0 or (above and value == 0):
            least = "above 0" if above else "0 or more"
            raise ValueError(f"watcher: {name}: expected a number {least}, got {value!r}")
