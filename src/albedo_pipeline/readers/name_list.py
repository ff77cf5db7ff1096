"""Text files with names, one line per sample: `beauty albedo [mask]`, or other columns."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from albedo_pipeline.errors import ProjectError

_NAME = re.compile(r'[ \t]*(?:"((?:[^"]|"")+)"(?![^ \t])|([^" \t][^ \t]*))')


def names_by_line(path: Path, file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """The number of each line of a list, which begins at 1, with the names in it.

    Names are separated by spaces or tabs. A name with spaces is in double quotes (a quote within
    it is doubled). Empty lines and lines that begin with `#` are skipped.

    Args:
        path: the list, for messages.
        file: the opened list.

    Raises:
        ProjectError: if the file is no UTF-8 text, lists nothing, or a quote is not closed; the
            message names the file, and the line if there is one.
    """
    is_empty = True
    try:
        # Not splitlines(): it also splits at characters that may be part of a file's name.
        lines = io.TextIOWrapper(file, encoding="utf-8-sig")
        for number, line in enumerate(lines, start=1):
            text = line.strip(" \t\r\n")
            if text and not text.startswith("#"):
                is_empty = False
                yield number, _split_names(text, f"{path}, line {number}")
    except UnicodeDecodeError as error:
        raise ProjectError(f"{path}: not UTF-8 text ({error})") from error
    if is_empty:
        raise ProjectError(f"{path}: lists no samples")


def _split_names(line: str, location: str) -> list[str]:
    names, position = [], 0
    while position < len(line):
        match = _NAME.match(line, position)
        if match is None:
            raise ProjectError(f"{location}: a double quote is not closed, or encloses no name")
        quoted, plain = match.groups()
        names.append(plain or quoted.replace('""', '"'))
        position = match.end()
    return names
