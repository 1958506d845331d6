"""The leaderboard's file: read, refused, fetched, kept for offline days, and written again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hear_fusion.errors import HearFusionError
from hear_fusion.report.leaderboard.board import (
    COLUMNS,
    OFFICIAL_TASKS,
    Entry,
    load_leaderboard,
    parse_leaderboard,
    submission,
)
from tests.report.leaderboard.boards import board_text

BOARD = board_text({"One": {"ESC-50": 0.5, "Gunshot": 0}, "Two": {"ESC-50": "0.947499991"}})
PAGE = "\n <!DOCTYPE html><html><body>Log in to the network</body></html>"


@dataclass
class Site:
    """What the server answers."""

    url: str = ""
    body: str = BOARD
    status: int = 200


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if site.status != 200:
                self.send_error(site.status)
                return
            body = site.body.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_address[1]}/leaderboard.csv"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield site
        server.shutdown()


def kept(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "home" / "hub" / "checkpoints"
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def test_the_table_of_tasks_has_nineteen_columns_of_twenty_folders() -> None:
    assert len(COLUMNS) == 19
    assert len({task.folder for task in OFFICIAL_TASKS}) == 20
    by_metric: dict[str, set[str]] = {}
    for task in OFFICIAL_TASKS:
        by_metric.setdefault(task.metric, set()).add(task.column)
    assert len(by_metric.pop("top1_acc")) == 12
    assert by_metric == {
        "aucroc": {"Beehive"},
        "event_onset_200ms_fms": {"DCASE 2016"},
        "event_onset_50ms_fms": {"Maestro 5h"},
        "mAP": {"FSD50K", "Vocal Imitation"},
        "pitch_acc": {"NSynth Pitch 5h", "NSynth Pitch 50h"},
    }


def test_scores_are_read_and_blanks_are_none(tmp_path: Path) -> None:
    path = tmp_path / "board.csv"
    path.write_text("\ufeff" + BOARD, encoding="utf-8")
    board = load_leaderboard(str(path))
    assert [(entry.model, entry.scores) for entry in board.entries] == [
        ("One", {"ESC-50": 0.5, "Gunshot": 0.0}),
        ("Two", {"ESC-50": 0.947499991}),
    ]
    assert board.source == str(path)


def test_further_columns_are_kept_and_not_compared() -> None:
    lines = BOARD.splitlines()
    text = "\n".join([f"{lines[0]},New task", *(f"{line},0.9" for line in lines[1:])])
    board = parse_leaderboard(text, "here")
    assert board.head[-1] == "New task"
    assert board.entries[0].scores == {"ESC-50": 0.5, "Gunshot": 0.0}
    row = submission(board.head, [Entry("m", {"ESC-50": 0.5})], "", date(2026, 1, 2))
    assert parse_leaderboard(row, "there").head == board.head


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PAGE, "got a web page"),
        ("404: Not Found", "got no column Model, URL"),
        ("", "an empty file"),
        (BOARD.replace("Gunshot", "Shots"), "got no column Gunshot in Model"),
        (BOARD.replace("Gunshot", "ESC-50").replace("Libricount", "Gunshot"), "no column Librico"),
        (BOARD.replace("Model,URL", "Model,URL,URL", 1), "a column twice"),
        (BOARD.splitlines()[0], "a head without rows"),
        (BOARD.replace("0.5", "fifty"), "got 'fifty' for 'One' in ESC-50"),
        (BOARD.replace("0.5", "94.7"), "got '94.7' for 'One' in ESC-50"),
        (BOARD.replace("0.5", "nan"), "got 'nan' for 'One' in ESC-50"),
        (BOARD.replace("0.5", "-0.1"), "got '-0.1' for 'One' in ESC-50"),
        (BOARD.replace("One,", "One,,"), "23 cells for 22 columns"),
        (BOARD.replace("One", '"One'), "got text that is none"),
    ],
)
def test_what_is_no_leaderboard_is_refused(text: str, message: str) -> None:
    with pytest.raises(
        ValueError, match=rf"(?s){message}.*\(here\); (download the raw|get the) file"
    ):
        parse_leaderboard(text, "here")


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a file that cannot be read"):
        load_leaderboard(str(tmp_path / "none.csv"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00Model")
    with pytest.raises(ValueError, match="must be the CSV file of HEAR"):
        load_leaderboard(str(tmp_path / "binary"))
    (tmp_path / "latin").write_bytes("Modèle".encode("latin-1"))
    with pytest.raises(ValueError, match="latin must be text in UTF-8"):
        load_leaderboard(str(tmp_path / "latin"))


GOOD = board_text({"One": {"ESC-50": 0.9}, "Two": {"ESC-50": 0.5}})
SAVED = {
    "as it is": GOOD.encode(),
    "UTF-8 with mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "UTF-16": GOOD.encode("utf-16"),
    "UTF-16 BE": b"\xfe\xff" + GOOD.encode("utf-16-be"),
    "LF": GOOD.replace("\r\n", "\n").encode(),
    "CR": GOOD.replace("\r\n", "\r").encode(),
    "blank lines": b"\r\n" + GOOD.encode() + b"\n \r\n",
}
SPOILT = {
    "empty": b"",
    "a mark alone": b"\xef\xbb\xbf",
    "a page": b"<!DOCTYPE html><html>not found</html>",
    "UTF-16 without mark": GOOD.encode("utf-16-le"),
    "Latin-1": GOOD.replace("One", "Un\xe9").encode("latin-1"),
    "noise": bytes(range(256)),
    "zeros": bytes(100),
    "deep": b"[" * 10_000,
    "a long field": GOOD.encode() + b"x" * 200_000,
    "a row cut short": GOOD.encode()[:-30],
    "semicolons": GOOD.replace(",", ";").encode(),
    "an open quote": GOOD.encode() + b'"Three,',
}


@pytest.mark.parametrize("name", SAVED)
def test_files_that_mean_the_same_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "board.CSV").write_bytes(SAVED[name])
    board = load_leaderboard(str(tmp_path / "board.CSV"))
    assert [(entry.model, entry.scores) for entry in board.entries] == [
        ("One", {"ESC-50": 0.9}),
        ("Two", {"ESC-50": 0.5}),
    ]


@pytest.mark.parametrize("name", SPOILT)
def test_others_are_refused_and_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "board.csv").write_bytes(SPOILT[name])
    with pytest.raises(HearFusionError, match=r"board\.csv") as caught:
        load_leaderboard(str(tmp_path / "board.csv"))
    assert len(str(caught.value)) < 2000


def test_fetched_anew_and_kept(site: Site, tmp_path: Path) -> None:
    assert load_leaderboard(site.url, progress=False).source == site.url
    site.body = board_text({"Three": {"ESC-50": 0.1}})
    assert load_leaderboard(site.url, progress=False).entries[0].model == "Three"
    (copy,) = kept(tmp_path)
    assert copy.read_text(encoding="utf-8") == site.body.replace("\r\n", "\n")


@pytest.mark.parametrize(("status", "body"), [(503, ""), (200, PAGE), (200, BOARD[:90])])
def test_the_copy_serves_when_fetching_fails(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int, body: str
) -> None:
    load_leaderboard(site.url, progress=False)
    site.status, site.body = status, body
    board = load_leaderboard(site.url, progress=False)
    assert [entry.model for entry in board.entries] == ["One", "Two"]
    assert board.source.startswith(f"{site.url}, copy of {date.today()}, since fetching it failed")
    assert caplog.messages == [board.source]
    assert len(kept(tmp_path)) == 1
    with pytest.raises(ValueError, match="download it by hand and give the file with --leaderboar"):
        load_leaderboard(f"{site.url}?other", progress=False)


def test_a_submission_has_the_columns_and_numbers_of_the_leaderboard() -> None:
    board = parse_leaderboard(BOARD, "here")
    scores = {"ESC-50": 0.9474999904632568, "Gunshot": 0.0, "Libricount": 1.0, "CREMA-D": 0.25}
    text = submission(
        board.head, [Entry('odd, "name"', scores)], "https://x.org/a,b", date(2026, 11, 5)
    )
    head, row = text.splitlines()
    assert head == BOARD.splitlines()[0]
    assert row.startswith('"odd, ""name""","https://x.org/a,b",2026-11-05,,,0.25,,0.94749999,')
    again = parse_leaderboard(text, "there").entries[0]
    assert again.model == 'odd, "name"'
    assert again.scores == pytest.approx(scores, abs=5e-10)
    assert parse_leaderboard(BOARD + row + "\n", "both").entries[-1] == again
