"""The labels of a task in the order of their indices, as heareval reads them."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from hear_fusion.errors import InvalidError, shown
from hear_fusion.files.texts import csv_rows

# heareval reads the vocabulary with pandas, which turns these words into missing values.
_PANDAS_MISSING = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"}
    | {"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)
_RULE = "with the columns idx and label, idx in whole numbers"
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_OPEN_QUOTE = "unexpected end of data"


def label_vocabulary(labels: Sequence[str | int]) -> list[str]:
    """Sort the distinct labels as ``labelvocabulary.csv`` lists them.

    A vocabulary of numbers alone is sorted by value, so that an index is a pitch's place.

    Args:
        labels: Labels of all clips of all splits, repeated as often as they occur.

    Returns:
        Distinct labels as text.

    Raises:
        ValueError: If pandas, with which heareval reads the file, would change a label.

    >>> label_vocabulary([60, 9, 60])
    ['9', '60']
    """
    words = {str(label) for label in labels}
    changed = sorted(words & _PANDAS_MISSING)
    if changed:
        raise InvalidError(
            f"labels must not be words that pandas reads as missing, got {changed}; rename them"
        )
    changed = sorted(words - {"True", "False"})
    if changed and {word.lower() for word in words} <= {"true", "false"}:
        raise InvalidError(f"labels must not be read as truth values, got {changed}; rename them")
    if not all(_is_number(word) for word in words):
        return sorted(words)
    changed = sorted(word for word in words if not word.isdecimal() or str(int(word)) != word)
    if changed:
        raise InvalidError(
            "labels that are all numbers must be whole ones without leading zeros, "
            f"got {changed}; heareval would read them as other labels"
        )
    return sorted(words, key=int)


def vocabulary_rows(path: Path) -> list[tuple[int, str]]:
    """Read ``labelvocabulary.csv`` as heareval does, by pandas, which takes seconds to import.

    Returns:
        Index and label of each row, words as they stand there.

    Raises:
        ValueError: If pandas cannot read it, or finds something else; the message is the reason.
    """
    try:
        text = path.read_bytes().decode("utf-8")  # pandas passes over the mark of no other encoding
    except (OSError, ValueError) as err:
        raise InvalidError(f"must be readable {_RULE}: {err!r}") from err
    try:
        csv_rows(text, path.name, strict=True)
    except InvalidError as err:
        if _OPEN_QUOTE in str(err):  # the one fault of quotes that pandas does not forgive
            raise InvalidError(f"must be readable {_RULE}: {err}") from err
    header, *table = csv_rows(text, path.name) or [[]]
    columns = [header.index(name) if name in header else -1 for name in ("idx", "label")]
    if -1 in columns:
        raise InvalidError(f"must be readable {_RULE}: got the columns {shown(header)}")
    rows = []
    for row in table:
        index, label = (row[at].strip(" ") if at < len(row) else "" for at in columns)
        if len(row) > len(header) or not _WHOLE.fullmatch(index):
            raise InvalidError(f"must be readable {_RULE}: got the row {shown(row)}")
        rows.append((int(index), row[columns[1]] if label else ""))
    return rows


def chroma_problems(vocabulary: Sequence[str]) -> Iterator[str]:
    """Tell if a label's index modulo 12 is not its pitch class, shifted.

    Args:
        vocabulary: Labels in the order of their indices.
    """
    numbers = [int(word) for word in vocabulary if word.isdecimal()]
    if not numbers or numbers != list(range(numbers[0], numbers[0] + len(vocabulary))):
        yield (
            "labels must be successive whole numbers where chroma_acc is a score "
            f"(it takes a label's index modulo 12), got {list(vocabulary)}"
        )


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
