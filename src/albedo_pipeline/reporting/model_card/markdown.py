"""Escaping of text for markdown."""

import re

_MARKUP = re.compile(r"([\\`*_\[\]<>&|#~$])")
_BLOCK = re.compile(r"^(\d*)([-+.)](?=\s|$)|[-=]+$)")
"""At the start of a line, what begins a list or underlines a heading."""


class Markdown(str):
    """Markdown written by this project, which is not escaped."""

    __slots__ = ()


def escaped(value: object) -> Markdown:
    """Any value as one line of plain text, whose markup and HTML is shown as it was typed."""
    if isinstance(value, Markdown):
        return value
    text = _MARKUP.sub(r"\\\1", one_paragraph(str(value)))
    return Markdown(_BLOCK.sub(r"\1\\\2", text))


def one_paragraph(text: str) -> str:
    """The text without line breaks and control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
