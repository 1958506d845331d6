"""Texts as editors, other programs and accidents leave them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.mutations import Draw, mutated

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 10**400, 0.5, -0.0, 1e308, float("nan"), float("inf"), "",
    "a", "\0", "\ud800", "../x", "/etc/passwd", "a" * 5000, [], [[]], ["a"], [1, "a", None], {},
    {"a": {}}, {"": []}, "cnn14", "train", 16000, "1", [0, 1],
)  # fmt: skip
ODD_TEXTS = (
    ",", ",,", '"', "'", "\n", "\r", "\r\n", "\t", ";", "\ufeff", "\0", "nan", "1e999", "-1", "0,5", "é",
    "\u2028", "{", "}", "[", "]", "[" * 3000, "&a", "*a", "!!python/name:os.system", "---\n", "<<: ",
    "null", "idx,label\n", "\x1a", "#", ":", ": ", "- ", "0x10", "1_000", "\uff12",
)  # fmt: skip
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1")


def places(content: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every object or list of a parsed JSON text, with each of its keys."""
    entries = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in list(entries):
        yield content, key
        if isinstance(value, dict | list):
            yield from places(value)


@st.composite
def other_values(draw: Draw, text: str) -> str:
    """A JSON text with some values exchanged, lost, added or moved."""
    content = json.loads(text)
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(content))
        if not found:
            break
        holder, key = draw(st.sampled_from(found))
        value = copy.deepcopy(draw(st.sampled_from(ODD_VALUES)))
        way = draw(st.integers(0, 4))
        if way == 0 and isinstance(holder, dict):
            del holder[key]
        elif way == 1 and isinstance(holder, dict):
            holder[draw(st.text(max_size=8))] = value
        elif way == 2:
            other, its_key = draw(st.sampled_from(found))
            holder[key] = copy.deepcopy(other[its_key])
        else:
            holder[key] = value
    return json.dumps(content)


@st.composite
def other_lines(draw: Draw, text: str) -> str:
    """A text with lines lost, moved, repeated or joined, and odd words between."""
    for _ in range(draw(st.integers(1, 3))):
        lines = text.splitlines(keepends=True) or [""]
        i, k = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        way = draw(st.integers(0, 5))
        if way == 0:
            del lines[i]
        elif way == 1:
            lines[i], lines[k] = lines[k], lines[i]
        elif way == 2:
            lines.insert(i, lines[k])
        elif way == 3:
            lines[i] = lines[i].rstrip("\r\n")
        else:
            at = draw(st.integers(0, len(lines[i])))
            lines[i] = lines[i][:at] + draw(st.sampled_from(ODD_TEXTS)) + lines[i][at:]
        text = "".join(lines)
    return text


@st.composite
def odd_text(draw: Draw, data: bytes) -> bytes:
    """What may have become of a text, above all of a JSON text."""
    way = draw(st.integers(0, 5))
    if way == 0:
        return bytes(draw(mutated(data)))
    text = data.decode(errors="replace")
    if way < 4 and text.lstrip().startswith(("{", "[")):
        text = draw(other_values(text))
    else:
        text = draw(other_lines(text))
    return bytes(text.encode(draw(st.sampled_from(ENCODINGS)), errors="replace"))
