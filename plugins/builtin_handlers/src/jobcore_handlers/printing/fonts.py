"""Which font prints a text: no invoice goes out with boxes where a name should be."""

# reportlab publishes no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportUnknownParameterType=false

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from jobcore.errors import ConfigurationError
from jobcore_handlers.errors import InvoiceNotPrintableError

_WRITTEN = ("L", "M", "N", "Sc")
"""Letters, marks, numbers and currencies: what a text does not mean the same without."""
_BLANK = ("Cc", "Zl", "Zp", "Zs")
_RIGHT_TO_LEFT = ("R", "AL")
_WESTERN = frozenset(ord(bytes([code]).decode("cp1252", "replace")) for code in range(32, 256)) - {0xFFFD}


@dataclass(frozen=True, slots=True)
class Fonts:
    """A font and its bold one, by reportlab's names for them, and the code points that both have."""

    regular: str
    bold: str
    characters: Collection[int]

    def drawable(self, text: str) -> str:
        """Return `text` in one line; what the fonts lack of it, by now only signs without a meaning, becomes `?`."""
        return "".join(map(self._drawable, unicodedata.normalize("NFC", text)))

    def _drawable(self, char: str) -> str:
        category = unicodedata.category(char)
        if category in _BLANK:
            return " "
        if category == "Cf":  # soft hyphens, marks of direction: nothing to be seen
            return ""
        return char if ord(char) in self.characters else "?"


HELVETICA = Fonts("Helvetica", "Helvetica-Bold", _WESTERN)
"""Every reader has it; it covers Western Europe only."""


def embedded_fonts(regular: Path | None, bold: Path | None) -> Fonts:
    """Return fonts that are put into the file: those given, or Vera, which covers little more than Helvetica.

    Raises:
        ConfigurationError: if a file is none of a TrueType font.
    """
    plain = _registered(str(regular or "Vera.ttf"))
    heavy = _registered(str(bold or regular or "VeraBd.ttf"))
    characters = frozenset(plain.face.charToGlyph) & frozenset(heavy.face.charToGlyph)
    return Fonts(plain.fontName, heavy.fontName, characters)


def fonts_for(texts: Iterable[str], embedded: Fonts) -> Fonts:
    """Return Helvetica if it has the characters of `texts`, else the embedded fonts.

    Raises:
        InvoiceNotPrintableError: if these lack letters as well, or a text is written from right to left.
    """
    characters = set(unicodedata.normalize("NFC", "\n".join(texts)))
    written = {char for char in characters if unicodedata.category(char).startswith(_WRITTEN)}
    if any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in written):
        raise InvoiceNotPrintableError.because_of_direction()
    if all(ord(char) in HELVETICA.characters for char in written):
        return HELVETICA
    if missing := {char for char in written if ord(char) not in embedded.characters}:
        raise InvoiceNotPrintableError.because_of_characters(sorted(missing))
    return embedded


def _registered(path: str) -> Any:
    try:
        font: Any = TTFont(path, path)
    except TTFError as error:
        raise ConfigurationError(
            f"{path} cannot be used to print invoices: {error}. JOBCORE_BUILTIN__INVOICE_FONT and "
            "JOBCORE_BUILTIN__INVOICE_FONT_BOLD name files of TrueType fonts (.ttf)."
        ) from error
    pdfmetrics.registerFont(font)
    return font
