"""The medians as an SVG picture: a panel for each figure, a bar for each peer, a line for the spread."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from bench.report import OURS, TITLES

Peers = Mapping[str, Mapping[str, float]]

WIDTH, LABEL, BAR, GAP = 760, 150, 18, 6
HEAD = 34
LONGEST = WIDTH - LABEL - 110
COLOURS = {True: "#2563a8", False: "#9aa5b1"}


def draw(summary: Mapping[str, Peers]) -> str:
    """Return the picture's text."""
    parts: list[str] = []
    top = 10
    for name, peers in summary.items():
        parts.append(_text(10, top + 16, TITLES[name], "font-weight='bold'"))
        top += HEAD - 8
        most = max(each["high"] for each in peers.values())
        for peer, figures in peers.items():
            parts.append(_bar(top, peer, figures, LONGEST / most if most > 0 else 0.0))
            top += BAR + GAP
        top += 14
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{top}' font-family='sans-serif' "
        f"font-size='13'>\n<rect width='100%' height='100%' fill='white'/>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _bar(top: int, peer: str, figures: Mapping[str, float], scale: float) -> str:
    length, low, high = (max(0.0, figures[key] * scale) for key in ("median", "low", "high"))
    middle, colour = top + BAR / 2, COLOURS[peer.startswith(OURS)]
    return "\n".join(
        [
            _text(LABEL - 8, top + 13, peer, "text-anchor='end'"),
            f"<rect x='{LABEL}' y='{top}' width='{length:.1f}' height='{BAR}' fill='{colour}'/>",
            f"<line x1='{LABEL + low:.1f}' x2='{LABEL + high:.1f}' y1='{middle}' y2='{middle}' stroke='black'/>",
            _text(round(LABEL + max(length, high) + 8), top + 13, f"{figures['median']:,.1f}"),
        ]
    )


def _text(x: int, y: int, text: str, style: str = "") -> str:
    return f"<text x='{x}' y='{y}' {style}>{escape(text)}</text>"
