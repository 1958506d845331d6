"""Speech Commands V2: all its 35 words."""

from __future__ import annotations

from pathlib import PurePosixPath

from hear_fusion.datasets.base import (
    DataSet,
    Place,
    Seen,
    Splitting,
    file_name,
    is_sound,
)
from hear_fusion.datasets.tables import lines
from hear_fusion.errors import InvalidError, shown

WORDS = (
    "backward", "bed", "bird", "cat", "dog", "down", "eight", "five", "follow", "forward", "four",
    "go", "happy", "house", "learn", "left", "marvin", "nine", "no", "off", "on", "one", "right",
    "seven", "sheila", "six", "stop", "three", "tree", "two", "up", "visual", "wow", "yes", "zero",
)  # fmt: skip
# Neither the words of the first edition nor the test of HEAR's task belong to this one.
_OTHERS = ("speech_commands_test_set", "speech_commands_v0.01")
_LISTS = {"validation_list.txt": "valid", "testing_list.txt": "test"}


class _SpeechCommands(DataSet):
    def clip_name(self, path: str) -> str | None:
        member = PurePosixPath(path)
        # Background noise is no word; a speaker's file has the same name under several words.
        if member.parent.name not in WORDS or not is_sound(path, ".wav"):
            return None
        if any(folder.startswith(_OTHERS) for folder in member.parts):
            return None
        return file_name(member.parent.name, member.stem)

    def places(self, seen: Seen) -> dict[str, Place]:
        placed = {name: Place("train", name.partition("_")[0]) for name in seen.names}
        for file, split in _LISTS.items():
            for line in lines(seen.texts, file):
                name = self.clip_name(line)
                if name is None:
                    raise InvalidError(
                        f"{file} must have lines such as 'bed/0a7c2a8d_nohash_0.wav', "
                        f"got {shown(line)}"
                    )
                placed[name] = Place(split, PurePosixPath(line).parent.name)
        return placed


SPEECH_COMMANDS = _SpeechCommands(
    name="speech_commands",
    title="Speech Commands V2: one of 35 spoken words",
    archives=("speech_commands_v0.02.tar.gz",),
    url="http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
    licence="CC BY 4.0",
    citation="P. Warden, Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition, "
    "arXiv 1804.03209, 2018",
    seconds=1.0,
    # HEAR's speech_commands has 12 classes.
    task_name="speech_commands_35",
    version="v0.0.2",
    splitting=Splitting(
        "the validation and testing lists of the data set, by speaker; the rest is for training",
        {"train": 84843, "valid": 9981, "test": 11005},
    ),
    texts=tuple(_LISTS),
)
