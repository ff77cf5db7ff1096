"""Text files with names, one line per sample: `beauty albedo [mask]`, or other columns."""

import re
from pathlib import Path

from albedo_pipeline.errors import ProjectError

_NAME = re.compile(r'[ \t]*(?:"((?:[^"]|"")+)"(?![^ \t])|([^" \t][^ \t]*))')


def names_by_line(path: Path, content: bytes) -> dict[int, list[str]]:
    """The names in each line of a list, by the number of the line, which begins at 1.

    Names are separated by spaces or tabs. A name with spaces is in double quotes (a quote within
    it is doubled). Empty lines and lines that begin with `#` are skipped.

    Args:
        path: the list, for messages.
        content: what it holds.

    Raises:
        ProjectError: if the file is no UTF-8 text, lists nothing, or a quote is not closed; the
            message names the file, and the line if there is one.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProjectError(f"{path}: not UTF-8 text ({error})") from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    # Not splitlines(): it also splits at characters that may be part of a file's name.
    lines = {number: line.strip(" \t\r") for number, line in enumerate(text.split("\n"), start=1)}
    names = {
        number: _split_names(line, f"{path}, line {number}")
        for number, line in lines.items()
        if line and not line.startswith("#")
    }
    if not names:
        raise ProjectError(f"{path}: lists no samples")
    return names


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
