"""Miniature archives of the nine data sets, in the exact layout of the official ones."""

from __future__ import annotations

import json
from collections.abc import Callable

from hear_fusion.datasets import DATA_SETS
from tests.datasets.miniature import (
    APPLE_DOUBLE,
    LFS_POINTER,
    Files,
    Miniature,
    below,
    encoded,
    sound,
    tar_of,
    zip_of,
)


def esc50() -> Miniature:
    mini = Miniature(DATA_SETS["esc50"])
    table = ["filename,fold,target,category,esc10,src_file,take"]
    for fold in range(1, 6):
        for target, category in ((0, "dog"), (10, "rain")):
            stem = f"{fold}-{100000 + fold}-A-{target}"
            seconds = 3.2 if fold == 1 else 5.0
            path = f"ESC-50-master/audio/{stem}.wav"
            mini.clip(path, stem, f"fold{fold - 1:02d}", category, seconds, rate=44100)
            table.append(f"{stem}.wav,{fold},{target},{category},True,{100000 + fold},A")
    mini.files["ESC-50-master/audio/._1-100001-A-0.wav"] = APPLE_DOUBLE
    mini.files["ESC-50-master/README.md"] = b"ESC-50"
    mini.files["ESC-50-master/meta/esc50.csv"] = "\n".join(table).encode()
    mini.packed = lambda files: {"ESC-50-master.zip": zip_of(files)}
    return mini.counted()


def us8k() -> Miniature:
    mini = Miniature(DATA_SETS["us8k"])
    table = ["slice_file_name,fsID,start,end,salience,fold,classID,class"]
    odd = (
        (44100, "PCM_24", 2, "WAV"), (96000, "PCM_24", 2, "WAVEX"), (22050, "MS_ADPCM", 1, "WAV"),
        (48000, "FLOAT", 2, "WAV"), (8000, "PCM_U8", 1, "WAV"), (192000, "PCM_16", 2, "WAVEX"),
        (11025, "IMA_ADPCM", 2, "WAV"), (16000, "PCM_16", 1, "WAV"),
        (44100, "PCM_32", 1, "WAV"), (24000, "PCM_16", 2, "WAV"),
    )  # fmt: skip
    for fold in range(1, 11):
        for class_id, label in ((3, "dog_bark"), (6, "gun_shot")):
            stem = f"{1000 + fold}-{class_id}-0-0"
            rate, subtype, channels, kind = odd[(fold + class_id) % 10]
            seconds = 0.05 if fold == 7 else 1.25
            path = f"UrbanSound8K/audio/fold{fold}/{stem}.wav"
            mini.clip(
                path, stem, f"fold{fold - 1:02d}", label, seconds, rate, subtype, channels, kind
            )
            table.append(f"{stem}.wav,{1000 + fold},0.0,{seconds},1,{fold},{class_id},{label}")
    mini.files["UrbanSound8K/audio/fold1/.DS_Store"] = b"\x00"
    mini.files["UrbanSound8K/metadata/UrbanSound8K.csv"] = "\r\n".join(table).encode()
    mini.packed = lambda files: {"UrbanSound8K.tar.gz": tar_of(files)}
    return mini.counted()


def speech_commands() -> Miniature:
    mini = Miniature(DATA_SETS["speech_commands"])
    # One speaker says several words: the base name repeats.
    for word in ("bed", "zero", "go"):
        for speaker, split in (("0a7c2a8d", "train"), ("1b2c3d4e", "valid"), ("ffaa0011", "test")):
            base = f"{speaker}_nohash_0"
            seconds = 0.8 if word == "bed" else 1.0
            mini.clip(f"{word}/{base}.wav", f"{word}_{base}", split, word, seconds)
    for word in ("bed", "zero", "go"):
        mini.files[f"{word}/._0a7c2a8d_nohash_0.wav"] = APPLE_DOUBLE
    mini.files["_background_noise_/running_tap.wav"] = encoded(sound(9, 3, 16000), 16000, "PCM_16")
    mini.files["_background_noise_/README.md"] = b"noise"
    for file, speaker in (("validation", "1b2c3d4e"), ("testing", "ffaa0011")):
        lines = [f"{word}/{speaker}_nohash_0.wav\n" for word in ("bed", "zero", "go")]
        mini.files[f"{file}_list.txt"] = "".join(lines).encode()
    mini.packed = lambda files: {"speech_commands_v0.02.tar.gz": tar_of(files, "./")}
    return mini.counted()


def voxceleb1() -> Miniature:
    mini = Miniature(DATA_SETS["voxceleb1"])
    lines = []
    # An identifier of a video may begin with a dash or hold an underscore, and its case counts.
    for speaker in ("id10001", "id10270"):
        for number, (split, video) in enumerate(
            (("train", "-eNaBcDeF_k"), ("valid", "-enabCDef_K"), ("test", "Y8hIVOBuels")), start=1
        ):
            path, name = f"{speaker}/{video}/00001.wav", f"{speaker}_{video}_00001"
            mini.clip(f"wav/{path}", name, split, speaker, 4.1 if number < 3 else 9.0)
            lines.append(f"{number} {path}\n")
    mini.files["iden_split.txt"] = "".join(lines).encode()

    def packed(files: Files) -> Files:
        dev, test = ({p: f for p, f in files.items() if who in p} for who in ("10001", "10270"))
        whole = zip_of(dev)
        cuts = (0, len(whole) // 3, len(whole) // 2, len(whole))
        pieces = {
            f"vox1_dev_wav_parta{letter}": whole[begin:end]
            for letter, begin, end in zip("abc", cuts, cuts[1:], strict=False)
        }
        rest = {"vox1_test_wav.zip": zip_of(test), "iden_split.txt": files["iden_split.txt"]}
        return {**pieces, **rest}

    mini.packed = packed
    return mini.counted()


def voxforge() -> Miniature:
    mini = Miniature(DATA_SETS["voxforge"])
    folders = {"de": "de", "en": "SpeechCorpus/Trunk/Audio/Main/16kHz_16bit", "ru": "Russian"}
    rows = ["file_name,label,split"]
    for language, folder in folders.items():
        for split in ("train", "valid", "test"):
            archive = f"anna{split}-20100101-{language}x"
            kind, subtype = ("flac", "PCM_16") if split == "test" else ("wav", "PCM_16")
            for number in (1, 2):
                file = f"{language}-{number:03d}"
                mini.clip(
                    f"{folder}/{archive}/{kind}/{file}.{kind}", f"{language}_{archive}_{file}",
                    split, language, 2.0 if number == 1 else 6.5, 16000, subtype, 1, kind.upper(),
                )  # fmt: skip
                rows.append(f"{archive}/{kind}/{file}.{kind},{language}-words,{split}")
            mini.files[f"{folder}/{archive}/etc/PROMPTS"] = b"words"
    rows.append("not-20100101-used/wav/a.wav,de-words,")
    mini.splits_text = "\n".join(rows).encode()

    def packed(files: Files) -> Files:
        archives: dict[str, Files] = {}
        for path, content in files.items():
            folder, archive, kind, file = path.rsplit("/", 3)
            archives.setdefault(f"{folder}/{archive}.tgz", {})[f"{archive}/{kind}/{file}"] = content
        return {path: tar_of(content) for path, content in archives.items()}

    mini.packed = packed
    return mini.counted()


def crema_d() -> Miniature:
    mini = Miniature(DATA_SETS["crema_d"])
    for speaker, split in (("1002", "train"), ("1009", "valid"), ("1083", "test")):
        for sentence, emotion, level in (("IEO", "ANG", "HI"), ("TAI", "SAD", "XX")):
            name = f"{speaker}_{sentence}_{emotion}_{level}"
            mini.clip(f"AudioWAV/{name}.wav", name, split, emotion, 1.5 if level == "HI" else 3.1)
    for left_out in ("1006_TIE_NEU_XX", "1013_WSI_DIS_XX", "1017_IWW_FEA_XX", "1040_ITH_SAD_X"):
        mini.files[f"AudioWAV/{left_out}.wav"] = encoded(sound(3, 1, 16000), 16000, "PCM_16")
    mini.files["AudioMP3/1002_IEO_ANG_HI.mp3"] = LFS_POINTER
    mini.files["README.md"] = b"CREMA-D"
    mini.packed = lambda files: {
        "CREMA-D-master.zip": zip_of({f"CREMA-D-master/{path}": f for path, f in files.items()})
    }
    return mini.counted()


def gtzan() -> Miniature:
    mini = Miniature(DATA_SETS["gtzan"])
    numbers = {"blues": (29, 0, 99), "hiphop": (2, 98, 30), "jazz": (72, 2, 73)}
    for genre, of_splits in numbers.items():
        for split, number in zip(("train", "valid", "test"), of_splits, strict=True):
            name = f"{genre}.{number:05d}"
            kind = ("au", "AU") if genre == "jazz" else ("wav", "WAV")
            mini.clip(
                f"genres/{genre}/{name}.{kind[0]}", name, split, genre,
                29.7 if split == "train" else 30.1, 22050, "PCM_16", 1, kind[1],
            )  # fmt: skip
    mini.files["genres/jazz/jazz.00033.wav"] = encoded(
        sound(1, 1, 22050), 22050, "PCM_16"
    )  # unused
    mini.files["genres/bextract_single.mf"] = b"mf"
    mini.files["genres/jazz/._jazz.00072.wav"] = APPLE_DOUBLE
    mini.packed = lambda files: {"genres.tar.gz": tar_of(files)}
    mini.missing = 930 - 9
    return mini.counted()


def nsynth() -> Miniature:
    mini = Miniature(DATA_SETS["nsynth"])
    for split in ("train", "valid", "test"):
        table = {}
        for family, pitch in (("bass", 9), ("synth_lead", 60), ("vocal", 108)):
            if (family, split) == ("synth_lead", "test"):
                continue
            instrument = f"{family}_synthetic_{('train', 'valid', 'test').index(split):03d}"
            name = f"{instrument}-{pitch:03d}-025"
            mini.clip(f"nsynth-{split}/audio/{name}.wav", name, split, family, 4.0)
            table[name] = {
                "note": 1, "note_str": name, "instrument_str": instrument, "pitch": pitch,
                "sample_rate": 16000, "qualities": [0, 1], "qualities_str": ["dark"],
                "instrument_family": 0, "instrument_family_str": family,
            }  # fmt: skip
        mini.files[f"nsynth-{split}/examples.json"] = json.dumps(table).encode()
    mini.packed = lambda files: {
        f"nsynth-{split}.jsonwav.tar.gz": tar_of(
            {f"nsynth-{split}/{path}": f for path, f in below(files, f"nsynth-{split}/").items()}
        )
        for split in ("train", "valid", "test")
    }
    return mini.counted()


def surge() -> Miniature:
    mini = Miniature(DATA_SETS["surge"])
    rows = ["tone,split"]
    for split, preset in (
        ("train", "surge-patches-factory-Winds-Flute"),
        ("valid", "surge-patches-3rdparty-Kick"),
        ("test", "surge-patches-factory-Leads-Saw"),
    ):
        for note in (21, 60, 108):
            path = f"surge/{preset}-velocity64/{note:03d}.ogg"
            name = f"{preset}-velocity64_{note:03d}"
            mini.clip(path, name, split, note, 3.6, 44100, "VORBIS", 1, "OGG")
        rows.append(f"{preset}-velocity64,{split}")
    mini.splits_text = "\n".join(rows).encode()
    mini.packed = lambda files: {"surge.tar": tar_of(files, mode="w")}
    mini.missing = 3 * 88 - 9
    return mini.counted()


MINIATURES: dict[str, Callable[[], Miniature]] = {
    "esc50": esc50,
    "us8k": us8k,
    "speech_commands": speech_commands,
    "voxceleb1": voxceleb1,
    "voxforge": voxforge,
    "crema_d": crema_d,
    "gtzan": gtzan,
    "nsynth": nsynth,
    "surge": surge,
}
