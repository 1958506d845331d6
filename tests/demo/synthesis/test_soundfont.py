import struct
from pathlib import Path

import pytest

from tests.demo.synthesis.soundfont import preset_groups

PCM = bytes(range(256)) * 8  # 1024 different-looking samples of two bytes
INSTRUMENT, SAMPLE, PAN = 41, 53, 17
MONO, RIGHT, LEFT = 1, 2, 4

# name: (start, end, stereo partner, type), in samples
SOUNDS = [
    (0, 20, 0, MONO),
    (20, 40, 0, MONO),
    (40, 60, 0, MONO),
    (59, 80, 0, MONO),  # overlaps the one before
    (80, 90, 5, RIGHT),
    (90, 100, 4, LEFT),
    (128, 140, 0, MONO),
    (256, 268, 0, MONO),  # the same data as the one before
    (100, 110, 0, MONO),
]
# An instrument is a list of samples, a preset a list of instruments.
INSTRUMENTS = [[0], [0, 1], [1], [2], [3], [4], [5], [6], [7], [8], []]
PRESETS = {
    (0, 0): [0],
    (0, 1): [2],  # shares no sample with (0, 0), but both do with (0, 2)
    (0, 2): [1],
    (0, 10): [3],
    (0, 11): [4],
    (0, 20): [5],
    (0, 21): [6],
    (0, 30): [7],
    (0, 31): [8],
    (0, 40): [9],
    (128, 5): [9],
    (0, 50): [10],  # no sound
}
GROUPS = [
    [(0, 0), (0, 1), (0, 2)],
    [(0, 10), (0, 11)],
    [(0, 20), (0, 21)],
    [(0, 30), (0, 31)],
    [(0, 40), (128, 5)],
]


def chunk(name: str, content: bytes) -> bytes:
    return name.encode() + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def zones(targets: list[list[int]], kind: int) -> tuple[bytes, bytes, list[int]]:
    """Bags, generators and each header's first bag: a global zone, then one zone a target."""
    bags, generators, first = b"", b"", []
    n_bags = n_generators = 0
    for numbers in targets:
        first.append(n_bags)
        for zone in ([(PAN, 1)], *([(PAN, 0), (kind, number)] for number in numbers)):
            bags += struct.pack("<HH", n_generators, 0)
            n_bags += 1
            for operator, amount in zone:
                generators += struct.pack("<HH", operator, amount)
                n_generators += 1
    first.append(n_bags)
    return bags + struct.pack("<HH", n_generators, 0), generators + bytes(4), first


def forge(pcm: bytes = PCM) -> bytes:
    pbag, pgen, preset_bags = zones(list(PRESETS.values()), INSTRUMENT)
    ibag, igen, instrument_bags = zones(INSTRUMENTS, SAMPLE)
    keys = [*PRESETS, (0, 255)]
    phdr = b"".join(
        struct.pack("<20sHHHIII", b"p", program, bank, bag, 0, 0, 0)
        for (bank, program), bag in zip(keys, preset_bags, strict=True)
    )
    inst = b"".join(struct.pack("<20sH", b"i", bag) for bag in instrument_bags)
    shdr = b"".join(
        struct.pack("<20sIIIIIBbHH", b"s", start, end, 0, 0, 22050, 60, 0, link, kind)
        for start, end, link, kind in [*SOUNDS, (0, 0, 0, 0)]
    )
    tables = {"phdr": phdr, "pbag": pbag, "pgen": pgen, "inst": inst}
    tables |= {"ibag": ibag, "igen": igen, "shdr": shdr}
    pdta = b"pdta" + b"".join(chunk(name, content) for name, content in tables.items())
    sdta = b"sdta" + chunk("odd ", b"odd") + chunk("smpl", pcm)  # odd lengths are padded
    info = b"INFO" + chunk("INAM", b"forged")
    return chunk("RIFF", b"sfbk" + chunk("LIST", info) + chunk("LIST", sdta) + chunk("LIST", pdta))


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_groups_of_a_forged_soundfont(tmp_path: Path) -> None:
    assert preset_groups(write(tmp_path / "forged.sf2", forge())) == GROUPS


def test_presets_part_when_their_data_differs(tmp_path: Path) -> None:
    pcm = bytearray(PCM)
    pcm[2 * 256] ^= 1  # first sample of the copy
    groups = preset_groups(write(tmp_path / "forged.sf2", forge(bytes(pcm))))
    assert [(0, 30)] in groups
    assert [(0, 31)] in groups


def test_a_file_of_another_kind_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="path must be a SoundFont 2 file"):
        preset_groups(write(tmp_path / "sound.wav", b"RIFF" + bytes(4) + b"WAVE"))


def test_a_cut_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"got .* bytes of table 'shdr'"):
        preset_groups(write(tmp_path / "cut.sf2", forge()[:-20]))


def test_tables_that_point_nowhere_are_an_error(tmp_path: Path) -> None:
    whole = forge()
    target = struct.pack("<HH", SAMPLE, 8)
    assert whole.count(target) == 1
    broken = whole.replace(target, struct.pack("<HH", SAMPLE, 99))
    with pytest.raises(ValueError, match="past their end"):
        preset_groups(write(tmp_path / "broken.sf2", broken))
