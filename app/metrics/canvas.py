"""A white sheet of 1080 pixels to draw cards on: matplotlib's Agg behind a few plain strokes.

Coordinates are pixels from the top left. matplotlib takes a third of a second to import,
so it is imported where it is needed and nowhere else. Only the fonts it brings are used:
the picture is the same on every machine, Cyrillic included.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

WIDTH = 1080
DPI = 100
POINTS = 72 / DPI

INK = "#1c2733"
MUTED = "#66727f"
FAINT = "#e7ebef"
PAPER = "#ffffff"
GROUND = "#f1f4f7"
GOOD = "#177a5b"
BAD = "#b93a16"
CALM = "#3b6ea5"
BAD_TINT = "#fbe9e3"
WARM = "#a86400"
WARM_TINT = "#fbf1de"
GOOD_TINT = "#e2f2ec"

Align = Literal["left", "center", "right"]


class Canvas:
    """One picture while it is drawn."""

    def __init__(self, height: int) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.height = height
        self.figure: Figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor=GROUND)
        FigureCanvasAgg(self.figure)
        self.axes: Axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_xlim(0, WIDTH)
        self.axes.set_ylim(height, 0)
        self.axes.axis("off")

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 30,
        color: str = INK,
        *,
        bold: bool = False,
        align: Align = "left",
    ) -> None:
        """Words whose baseline stands at `y`; `size` in pixels. A `$` in them is only a sign."""
        self.axes.text(
            x,
            y,
            words,
            fontsize=size * POINTS,
            color=color,
            fontweight="bold" if bold else "normal",
            fontfamily="DejaVu Sans",
            horizontalalignment=align,
            verticalalignment="baseline",
            parse_math=False,
        )

    def box(self, x: float, y: float, width: float, height: float, color: str, radius: float = 0) -> None:
        """A filled box with round corners."""
        from matplotlib.patches import FancyBboxPatch

        radius = min(radius, width / 2, height / 2)
        style = f"round,pad=0,rounding_size={radius}" if radius else "square,pad=0"
        self._add(FancyBboxPatch((x, y), width, height, boxstyle=style, facecolor=color, linewidth=0))

    def triangle(self, x: float, y: float, size: float, color: str, *, up: bool) -> None:
        """▲ or ▼ around (x, y)."""
        from matplotlib.patches import Polygon

        half, tip = size / 2, -size * 0.45 if up else size * 0.45
        corners = [(x - half, y - tip), (x + half, y - tip), (x, y + tip)]
        self._add(Polygon(corners, closed=True, facecolor=color, linewidth=0))

    def png(self) -> bytes:
        """The finished picture, the same bytes for the same strokes."""
        stream = io.BytesIO()
        self.figure.savefig(stream, format="png", dpi=DPI, facecolor=GROUND, metadata={"Software": None})
        return stream.getvalue()

    def _add(self, patch: Patch) -> None:
        self.axes.add_patch(patch)
