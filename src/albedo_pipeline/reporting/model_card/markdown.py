"""Text that is safe in markdown."""

import re

_MARKUP = re.compile(r"([\\`*_\[\]<>&|#~$])")
_BLOCK = re.compile(r"^(\d*)([-+.)](?=\s|$)|[-=]+$)")
"""What begins a list or underlines a heading where it begins a line."""


class Markdown(str):
    """Markdown of our own, which is not escaped."""

    __slots__ = ()


def markdown(value: object) -> Markdown:
    """Any value as one line of plain text: its markup and HTML show as they were typed."""
    if isinstance(value, Markdown):
        return value
    text = _MARKUP.sub(r"\\\1", one_paragraph(str(value)))
    return Markdown(_BLOCK.sub(r"\1\\\2", text))


def one_paragraph(text: str) -> str:
    """The text without line breaks and control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
