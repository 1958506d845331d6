"""Texts that other programs wrote: byte-order marks, UTF-16, the lines of any system."""

from __future__ import annotations

import codecs
import csv
import io

from hear_fusion.errors import InvalidError

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def decoded(data: bytes, name: str, *, lenient: bool = False) -> str:
    """Decode a text as its byte-order mark tells, without one as UTF-8.

    Args:
        data: The text, as the file holds it.
        name: What to call it in messages.
        lenient: Whether to put a replacement in the place of what is no character.

    Raises:
        ValueError: If it is in another encoding.

    >>> decoded("é".encode("utf-16"), "a.csv")
    'é'
    """
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding, "replace" if lenient else "strict")
    except UnicodeDecodeError as err:
        raise InvalidError(f"{name} must be text in UTF-8, got: {err}; save it so") from err


def csv_rows(text: str, name: str, *, strict: bool = False) -> list[list[str]]:
    r"""Read the rows of a CSV text, without blank lines.

    Args:
        text: The text, byte-order mark and all.
        name: What to call it in messages.
        strict: Whether quotes must be as they ought to be.

    Raises:
        ValueError: If it is none.

    >>> csv_rows('a,b\r\n\r\n1,"2"\r\n', "a.csv")
    [['a', 'b'], ['1', '2']]
    """
    return [row for _, row in numbered_rows(text, name, strict=strict)]


def numbered_rows(
    text: str, name: str, delimiter: str = ",", *, strict: bool = False
) -> list[tuple[int, list[str]]]:
    r"""Read the rows of a text of delimited cells with the numbers of their last lines.

    Raises:
        ValueError: If it is none.

    >>> numbered_rows('a\tb\n\n1\t"2"\n', "a.tsv", "\t")
    [(1, ['a', 'b']), (3, ['1', '2'])]
    """
    lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
    rows = csv.reader(lines, delimiter=delimiter, strict=strict)
    try:
        return [(rows.line_num, row) for row in rows if len(row) > 1 or "".join(row).strip()]
    except csv.Error as err:
        raise InvalidError(f"{name} must be readable CSV, got: {err}") from err
