"""The look of printed invoices: fonts, sizes and colours."""

# reportlab publishes no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

INK = HexColor(0x1F2A44)
GREY = HexColor(0x667085)
RULE = HexColor(0xD0D5DD)
PALE = HexColor(0xF2F4F7)
WHITE = HexColor(0xFFFFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The paragraph styles of one document."""

    title: Any
    number: Any
    name: Any
    body: Any
    strong: Any
    strong_right: Any
    figure: Any
    label: Any
    head: Any
    head_right: Any
    small: Any


def look_for(texts: Iterable[str]) -> Look:
    """Return the styles with fonts that have the characters of `texts`.

    Every reader has Helvetica, but it covers Western Europe only; a text beyond that is set in Vera, which is embedded.
    """
    return _look(all(_is_western(text) for text in texts))


def _is_western(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


@cache
def _look(western: bool) -> Look:
    regular, bold = ("Helvetica", "Helvetica-Bold") if western else _embedded_fonts()

    def style(name: str, size: float, font: str = regular, **more: Any) -> Any:
        colour = more.pop("textColor", INK)
        return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.35, textColor=colour, **more)

    return Look(
        title=style("title", 20, bold, alignment=TA_RIGHT),
        number=style("number", 11, alignment=TA_RIGHT, textColor=GREY),
        name=style("name", 13, bold, spaceAfter=2),
        body=style("body", 9),
        strong=style("strong", 10, bold),
        strong_right=style("strong_right", 10, bold, alignment=TA_RIGHT),
        figure=style("figure", 9, alignment=TA_RIGHT),
        label=style("label", 8.5, textColor=GREY, spaceAfter=2),
        head=style("head", 8.5, bold, textColor=WHITE),
        head_right=style("head_right", 8.5, bold, textColor=WHITE, alignment=TA_RIGHT),
        small=style("small", 8, textColor=GREY),
    )


def _embedded_fonts() -> tuple[str, str]:
    pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))
    pdfmetrics.registerFont(TTFont("VeraBd", "VeraBd.ttf"))
    return "Vera", "VeraBd"
