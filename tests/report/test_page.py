"""The page: whole, escaped, and in need of nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from hear_fusion.cli import main
from hear_fusion.report.page import chapter, comparison, render, write_report
from hear_fusion.report.sections import Section, write_section
from hear_fusion.report.study.words import selection_rule, summary
from hear_fusion.study.results import Study
from tests.report.studies import DEMO, NINE, study
from tests.report.test_sections import EXTRA

VOID = {"meta", "link", "br", "img", "hr", "input", "wbr"}
ODD = "<script>alert('x')</script>"


class Reader(HTMLParser):
    """Reads a page strictly: what opens must close; collects addresses, ids, text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[tuple[str, str, str]] = []
        self.ids: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            if name in {"href", "src", "xlink:href", "srcset", "action", "data", "poster"}:
                self.addresses.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def page(*studies: Study, extra: tuple[Section, ...] = ()) -> str:
    chapters = [chapter(one, f"{one.module} {i}") for i, one in enumerate(studies)]
    return render(chapters, [*comparison(studies), *extra])


ODD_STUDY = replace(
    study("yamnet", [replace(DEMO[0], task=ODD), replace(DEMO[1], task="a & b \"c\" 'd'")]),
    config={"<b>": "</pre><script>1</script>"},
    hardware="<img src=x onerror=alert(1)>",
    versions={"<i>": "<u>"},
)
PAGES = {
    "demo": page(study("yamnet", DEMO, official=True)),
    "nine": page(study("cnn14", NINE), study("ast", NINE, selection="test")),
    "one task": page(study("vggish", DEMO[:1])),
    "M is L": page(replace(study("cnn14", NINE), middle=4, late=4)),
    "odd names": page(ODD_STUDY, extra=(EXTRA,)),
}


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_well_formed_and_need_nothing_else(name: str) -> None:
    reader = read(PAGES[name])
    assert "script" not in reader.tags
    assert "iframe" not in reader.tags
    assert reader.tags.count("svg") >= 3
    assert len(reader.ids) == len(set(reader.ids)) > 20
    for tag, attribute, address in reader.addresses:
        inside = address.startswith("#") and address[1:] in reader.ids
        source = tag == "a" and address.startswith("https://")
        assert inside or source or address.startswith("data:"), (tag, attribute, address)
    for address in re.findall(r"url\(([^)]*)\)", PAGES[name]):
        assert address.strip("\"'")[1:] in reader.ids
    assert "@import" not in PAGES[name]
    assert 'name="viewport"' in PAGES[name]
    assert "@media print" in PAGES[name]
    assert not re.search(r"None(?! of)|nan\b|Number\(", "".join(reader.text))


def test_odd_names_are_text() -> None:
    text = "".join(read(PAGES["odd names"]).text)
    for name in (ODD, "a & b \"c\" 'd'", "<img src=x onerror=alert(1)>", "<i> <u>", "More <b>"):
        assert name in text
    assert "</pre><script>1</script>" in text
    for name in ("T <u>", "<em>", "a<", "Text & <i>more</i>", "P <s>"):
        assert name in text


def test_a_foreign_drawing_is_an_image() -> None:
    images = [a for a in read(PAGES["odd names"]).addresses if a[0] == "img"]
    assert len(images) == 1
    assert images[0][2].startswith("data:image/svg+xml;base64,")


def test_the_page_says_what_was_done() -> None:
    text = "".join(read(PAGES["demo"]).text)
    for part in (
        "ab" * 32, "torch 2.14.1", "2 cores, 24 GB", "embed 2 min 11 s", "1.40 GiB", "2026-11-25",
        '"patience": 20', "hear_fusion.yamnet_6_13", "chosen on validation clips",
        "written in the configuration", "None of the paper's nine tasks was measured",
    ):  # fmt: skip
        assert part in text, part
    assert "heareval difference" in text
    assert "heareval difference" not in "".join(read(PAGES["nine"]).text)


def test_all_parts_of_the_nine_tasks_are_there() -> None:
    text = "".join(read(PAGES["nine"]).text)
    assert "CNN14: measured beside published" in text
    assert "AST: measured beside published" in text
    assert "M2D-CLAP (2024)" in text
    assert "was not measured on" not in text
    assert "flattered by that choice" in text
    some = "".join(read(page(study("cnn14", NINE[:8]))).text)
    assert "was not measured on Surge." in some
    assert "on the 8 shared tasks only" in some


def test_the_summary_in_words() -> None:
    one = study("cnn14", NINE)
    text = summary(one, "cnn14_3_5")
    gains = [task.gain for task in one.tasks]
    mean = 100 * sum(gain.value for gain in gains) / 9
    assert "Of the 6 layers of cnn14, layer 3 was chosen as M (for 6 tasks)" in text
    assert f"{mean:+.1f} points on average over 9 tasks, 95 % interval [+" in text
    assert "81261 test clips" in text
    assert "on 8 of 9; clearly worse on none; not told apart on gtzan_filtered-v1.0.0-full." in text
    alone = study("vggish", DEMO[:1])
    text = summary(alone, "v")
    assert "it stands alone. It reaches" in text
    assert "points on esc10-v2.0.0-full" in text
    assert "The interval lies above zero." in text


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(-0.2, -0.1, "lies below zero"), (-0.1, 0.0, "includes zero"), (0.01, 0.1, "above zero")],
)
def test_the_verdict_on_one_task(low: float, high: float, said: str) -> None:
    one = study("vggish", DEMO[:1])
    gain = replace(one.tasks[0].gain, low=low, high=high)
    assert said in summary(replace(one, tasks=(replace(one.tasks[0], gain=gain),)), "v")


def test_worse_tasks_are_named() -> None:
    one = study("cnn14", DEMO)
    bad = replace(one.tasks[2], gain=replace(one.tasks[2].gain, low=-0.2, high=-0.1))
    text = summary(replace(one, tasks=(*one.tasks[:2], bad, *one.tasks[3:])), "c")
    assert "on 5 of 6; clearly worse on demo_voices-v1.0.0-full." in text


def test_the_rule_of_selection_and_grouping() -> None:
    one = replace(study("cnn14", DEMO), selection="test", grouping="data")
    assert "on the test clips themselves" in selection_rule(one)
    assert "found from the data" in selection_rule(one)


def test_the_command_writes_page_tables_and_figures(tmp_path: Path) -> None:
    results = tmp_path / "results"
    study("yamnet", DEMO).write(results / "yamnet")
    study("cnn14", NINE[:2]).write(results / "cnn14")
    write_section(EXTRA, results)
    out = tmp_path / "site" / "index.html"
    run = CliRunner().invoke(
        main, ["report", str(results), "--out", str(out), "--assets", str(tmp_path / "assets")]
    )
    assert run.exit_code == 0, run.output
    assert f"wrote {out}" in run.output
    text = "".join(read(out.read_text(encoding="utf-8")).text)
    assert "More <b>" in text
    assert [path.name for path in out.parent.iterdir()] == ["index.html"]
    module, other = (study(*one).module for one in (("yamnet", DEMO), ("cnn14", NINE[:2])))
    tables = {path.name for path in (tmp_path / "assets" / "tables").iterdir()}
    stems = {"extra", "comparison", f"reproduction-{other}"}
    stems |= {f"{kind}-{name}" for kind in ("differences", "layers") for name in (module, other)}
    assert tables == {f"{stem}.{suffix}" for stem in stems for suffix in ("md", "csv", "tex")}
    figures = {path.name for path in (tmp_path / "assets" / "figures").iterdir()}
    names = [
        f"{kind}-{name}" for kind in ("curves", "heat", "differences") for name in (module, other)
    ]
    assert figures == {"board.svg"} | {f"{name}.{end}" for name in names for end in ("svg", "png")}


def test_assets_lie_beside_the_page_and_the_page_is_the_same_again(tmp_path: Path) -> None:
    study("yamnet", DEMO[:2]).write(tmp_path / "r")
    first, tables, figures = write_report(tmp_path / "r", tmp_path / "report.html")
    assert [tables, figures] == [tmp_path / "tables", tmp_path / "figures"]
    before = first.read_bytes()
    assert write_report(tmp_path / "r", tmp_path / "report.html")[0].read_bytes() == before


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    run = CliRunner().invoke(main, ["report", str(tmp_path), "--out", str(tmp_path / "x.html")])
    assert run.exit_code == 1
    assert "Error: results must be a folder with study.json" in run.output
    replace(study("yamnet", DEMO), tasks=()).write(tmp_path / "r")
    with pytest.raises(ValueError, match="a study must have at least one task, got none"):
        write_report(tmp_path, tmp_path / "x.html")
    (tmp_path / "r" / "study.json").write_text(json.dumps({}), encoding="utf-8")
    run = CliRunner().invoke(main, ["report", str(tmp_path)])
    assert run.exit_code == 1
    assert not (tmp_path / "x.html").exists()
