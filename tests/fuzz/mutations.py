"""Whole small files, and what downloads, editors and attackers make of them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
Mutation = Callable[[Draw, bytes], bytes]

_HEADER = 160  # bytes: most fields that a reader trusts
_ODD = (
    0, 1, 2, 3, 7, 8, 16, 24, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000,
    0x7FFFFF00, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 1 << 32, 1 << 40, 1 << 62,
    (1 << 63) - 1, 1 << 63, (1 << 64) - 1,
)  # fmt: skip
_SIZES = {1: "B", 2: "H", 4: "I", 8: "Q"}


def place(draw: Draw, data: bytes) -> int:
    """Draw a place in a file, every second time in its header or its last bytes."""
    end = len(data)
    near = st.integers(0, min(end, _HEADER)) | st.integers(max(0, end - _HEADER), end)
    return int(draw(near | st.integers(0, end)))


def cut(draw: Draw, data: bytes) -> bytes:
    return data[: place(draw, data)]


def lose_start(draw: Draw, data: bytes) -> bytes:
    return data[place(draw, data) :]


def lose_part(draw: Draw, data: bytes) -> bytes:
    at = place(draw, data)
    return data[:at] + data[at + draw(st.integers(1, 600)) :]


def flip(draw: Draw, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 8)) if data else 0):
        changed[min(place(draw, data), len(data) - 1)] ^= 1 << draw(st.integers(0, 7))
    return bytes(changed)


def put_number(draw: Draw, data: bytes) -> bytes:
    at, size = place(draw, data), draw(st.sampled_from(sorted(_SIZES)))
    number = draw(st.sampled_from(_ODD) | st.integers(0, 2 * len(data))) % (1 << 8 * size)
    field = struct.pack(draw(st.sampled_from("<>")) + _SIZES[size], number)
    return data[:at] + field + data[at + size :]


def insert(draw: Draw, data: bytes) -> bytes:
    at = place(draw, data)
    return b"".join((data[:at], draw(st.binary(min_size=1, max_size=40)), data[at:]))


def repeat(draw: Draw, data: bytes) -> bytes:
    at = place(draw, data)
    return data[:at] + data[at : at + draw(st.integers(1, 200))] * 2 + data[at:]


def blank(draw: Draw, data: bytes) -> bytes:
    at, n_bytes = place(draw, data), draw(st.integers(1, 600))
    filler = draw(st.sampled_from((b"\0", b"\xff", b" ")))
    return b"".join((data[:at], filler * len(data[at : at + n_bytes]), data[at + n_bytes :]))


def append(draw: Draw, data: bytes) -> bytes:
    return b"".join((data, draw(st.binary(min_size=1, max_size=16)) * draw(st.integers(1, 400))))


def prepend(draw: Draw, data: bytes) -> bytes:
    return b"".join((draw(st.binary(min_size=1, max_size=16)), data))


MUTATIONS: tuple[Mutation, ...] = (
    cut, lose_start, lose_part, flip, flip, put_number, put_number, put_number, insert, repeat,
    blank, append, prepend,
)  # fmt: skip


@st.composite
def mutated(draw: Draw, seed: bytes, most: int = 4) -> bytes:
    """A file after none to ``most`` mutations."""
    for _ in range(draw(st.integers(0, most))):
        seed = draw(st.sampled_from(MUTATIONS))(draw, seed)
    return seed


@st.composite
def damaged(draw: Draw, seeds: Mapping[str, bytes], most: int = 4) -> tuple[str, bytes]:
    """One of some files by its name, mutated, or with the end of another one."""
    name = draw(st.sampled_from(sorted(seeds)))
    data = seeds[name]
    if draw(st.integers(0, 9)) == 9:
        other = seeds[draw(st.sampled_from(sorted(seeds)))]
        data = data[: place(draw, data)] + other[place(draw, other) :]
    return name, draw(mutated(data, most))
