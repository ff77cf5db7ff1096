"""What a terminal shows of the bytes that it receives."""

import re

_PARTS = re.compile(r"\x1b\[(\d*)([A-Za-z])|\x1b\[\?\d+[hl]|(\r)|(\n)|([^\x1b\r\n])")


def replay(text: str) -> list[str]:
    """The lines on the screen; lines that are longer than the terminal are not wrapped.

    It knows the moves that rich makes: back to the start of a line, up, and erasing a line.
    """
    rows, row, column = [""], 0, 0
    for number, move, carriage_return, newline, letter in _PARTS.findall(text):
        if carriage_return:
            column = 0
        elif newline:
            row += 1
            rows += [""] * (row == len(rows))
        elif move == "A":
            row = max(0, row - int(number or 1))
        elif move == "K":
            rows[row] = "" if number == "2" else rows[row][:column]
        elif letter:
            line = rows[row].ljust(column)
            rows[row] = line[:column] + letter + line[column + 1 :]
            column += 1
    return [line.rstrip() for line in rows if line.strip()]
