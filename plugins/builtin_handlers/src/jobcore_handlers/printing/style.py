"""The look of printed invoices: fonts, sizes and colours."""

# reportlab publishes no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportUnknownParameterType=false

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle

from jobcore_handlers.printing.fonts import Fonts

INK = HexColor(0x1F2A44)
GREY = HexColor(0x667085)
RULE = HexColor(0xD0D5DD)
PALE = HexColor(0xF2F4F7)
WHITE = HexColor(0xFFFFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The paragraph styles of one document; `fonts` of each are those that it is set in."""

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


@cache
def look_with(fonts: Fonts) -> Look:
    """Return the styles of a document that is set in `fonts`."""
    bold = fonts.bold

    def style(name: str, size: float, font: str = fonts.regular, **more: Any) -> Any:
        colour = more.pop("textColor", INK)
        leading = size * 1.35
        return ParagraphStyle(
            name, fontName=font, fontSize=size, leading=leading, textColor=colour, fonts=fonts, **more
        )

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
