"""Bars as an SVG, drawn here: one line a bar, with its figure, and a goal if any."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax import saxutils

_LINE, _TOP, _LABELS, _BARS, _FIGURES = 26, 46, 290, 380, 110
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2933}.title{font-weight:600}"
    ".ours{fill:#2563a8}.other{fill:#aab4be}.goal{stroke:#c2410c;stroke-width:2}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar; `goal` is where a mark is drawn, in the unit of `value`."""

    label: str
    value: float
    is_ours: bool = False
    goal: float | None = None


def write(path: str, title: str, bars: Sequence[Bar], *, unit: str) -> None:
    """Write the chart to `path`."""
    Path(path).write_text(svg(title, bars, unit=unit), "utf-8")


def svg(title: str, bars: Sequence[Bar], *, unit: str) -> str:
    """Return the chart: the longest bar or the farthest goal fills the width."""
    longest = max([bar.value for bar in bars] + [bar.goal or 0 for bar in bars])
    scale = _BARS / longest if longest else 0
    width, height = _LABELS + _BARS + _FIGURES, _TOP + _LINE * len(bars) + 8
    drawn = [_bar(bar, _TOP + _LINE * nth, scale, unit) for nth, bar in enumerate(bars)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            f' width="{width}" height="{height}" role="img">',
            f"<style>{_STYLE}</style>",
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            f'<text class="title" x="8" y="24">{saxutils.escape(title)}</text>',
            *drawn,
            "</svg>\n",
        ]
    )


def _bar(bar: Bar, top: int, scale: float, unit: str) -> str:
    length = bar.value * scale
    kind = "ours" if bar.is_ours else "other"
    figure = f"{bar.value:.3g} {unit}"
    goal = ""
    if bar.goal is not None:
        at = _LABELS + bar.goal * scale
        goal = f'<path class="goal" d="M{at:.1f} {top}v{_LINE - 6}"/>'
    return (
        f'<text x="{_LABELS - 8}" y="{top + 15}" text-anchor="end">'
        f"{saxutils.escape(bar.label)}</text>"
        f'<rect class="{kind}" x="{_LABELS}" y="{top}" width="{length:.1f}"'
        f' height="{_LINE - 6}" rx="2"/>'
        f'<text x="{_LABELS + length + 8:.1f}" y="{top + 15}">'
        f"{saxutils.escape(figure)}</text>{goal}"
    )
