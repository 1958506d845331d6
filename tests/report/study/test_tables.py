"""Numbers of the tables, by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from hear_fusion.report.formats import Number, Table
from hear_fusion.report.study.averages import layer_means, mean_of, task_groups
from hear_fusion.report.study.comparison import comparison_table, missing_tasks, reproduction_table
from hear_fusion.report.study.published_scores import TABLE_III
from hear_fusion.report.study.tables import gains_table, layers_table
from hear_fusion.study.results import Estimate, Gain, Study, TaskStudy
from tests.report.studies import DEMO, NINE, Kind, measured_as, study


def made(value: float, valid: float = 0.0, official: float | None = None) -> Estimate:
    return Estimate(value, 0.01, value - 0.03, value + 0.04, 10, 3, 1, valid, 1e-3, official)


# Two tasks with round numbers: M is 1, L is 2.
FIRST = TaskStudy(
    "one", 30, 2, 1, "middle", {1: made(0.8, 0.7), 2: made(0.6, 0.5)},
    made(0.5), made(0.8), Gain(0.3, 0.24, 0.36, 0.00004, 10),
)  # fmt: skip
SECOND = TaskStudy(
    "two", 60, 2, 1, "late", {1: made(0.2, 0.1), 2: made(0.4, 0.3)},
    made(0.4), made(0.3), Gain(-0.1, -0.18, -0.02, 0.03, 30),
)  # fmt: skip
TWO = Study("yamnet", 1, 2, "validation", "config", (FIRST, SECOND), "0" * 64)


def texts(table: Table) -> list[list[str]]:
    return [[str(cell) for cell in row] for row in table.rows]


def column(table: Table, name: str) -> list[str]:
    return [row[table.head.index(name)] for row in texts(table)]


def test_gains_by_hand() -> None:
    table = gains_table(TWO, "yamnet_1_2")
    assert table.head == (
        "task", "M or L", "n", "original", "fused", "difference", "p", "sd", "sd fused"
    )  # fmt: skip
    # Half-widths of the average: sqrt(6^2 + 8^2) / 2 = 5 for the difference.
    below, above = math.hypot(3, 3) / 2, math.hypot(4, 4) / 2
    assert texts(table) == [
        ["one", "M", "10", "50.0 [47.0, 54.0]", "80.0 [77.0, 84.0]", "+30.0 [+24.0, +36.0]", "<0.0001",
         "1.0", "1.0"],
        ["two", "L", "30", "40.0 [37.0, 44.0]", "30.0 [27.0, 34.0]", "-10.0 [-18.0, -2.0]", "0.0300",
         "1.0", "1.0"],
        ["average of all tasks", "", "40", f"45.0 [{45 - below:.1f}, {45 + above:.1f}]",
         f"55.0 [{55 - below:.1f}, {55 + above:.1f}]", "+10.0 [+5.0, +15.0]", "", "", ""],
    ]  # fmt: skip
    assert table.strong == {2}


def test_a_single_run_has_no_deviation() -> None:
    alone = replace(FIRST, original=replace(FIRST.original, n_seeds=1))
    table = gains_table(replace(TWO, tasks=(alone,)), "x")
    assert (column(table, "sd")[0], column(table, "sd fused")[0]) == ("-", "1.0")


def test_a_mean_of_one_is_itself() -> None:
    assert str(mean_of([FIRST.gain])) == "+30.0 [+24.0, +36.0]"


def test_averages_of_the_papers_families() -> None:
    groups = task_groups(study("cnn14", NINE))
    assert {name: len(tasks) for name, tasks in groups.items()} == {
        "SER tasks": 2, "NOSS tasks": 4, "music tasks": 3, "M tasks": 6, "L tasks": 3, "all tasks": 9
    }  # fmt: skip
    assert task_groups(study("cnn14", DEMO[:1])) == {}


def test_table_iii_is_made_again_from_its_own_numbers() -> None:
    paper = TABLE_III["vggish"]
    table = gains_table(measured_as("vggish", paper.original, paper.fused), "v")
    last = table.rows[-1]
    shown = [last[table.head.index(name)] for name in ("original", "fused", "difference")]
    assert [str(cell).partition(" ")[0] for cell in shown] == ["47.2", "71.3", "+24.1"]


def test_heareval_stands_beside_where_there_is_a_score() -> None:
    gain = replace(FIRST.gain, official=0.2)
    first = replace(
        FIRST, original=made(0.5, official=0.4), fused=made(0.8, official=0.6), gain=gain
    )
    table = gains_table(replace(TWO, tasks=(first, SECOND)), "y")
    assert column(table, "heareval original") == ["40.0", "-", "-"]
    assert column(table, "heareval fused") == ["60.0", "-", "-"]
    assert column(table, "heareval difference") == ["+20.0", "-", "-"]
    second = replace(SECOND, gain=replace(SECOND.gain, official=-0.1))
    both = gains_table(replace(TWO, tasks=(first, second)), "y")
    assert column(both, "heareval difference") == ["+20.0", "-10.0", "+5.0"]


def test_layers_by_hand() -> None:
    table = layers_table(TWO, "y")
    assert table.head == (
        "layer", "one", "two", "mean of M tasks", "mean of L tasks",
        "mean of M tasks, validation", "mean of L tasks, validation",
    )  # fmt: skip
    assert texts(table) == [
        ["1 (M)", "80.0 [77.0, 84.0]", "20.0 [17.0, 24.0]", "80.0", "20.0", "70.0", "10.0"],
        ["2 (L)", "60.0 [57.0, 64.0]", "40.0 [37.0, 44.0]", "60.0", "40.0", "50.0", "30.0"],
        ["original", "50.0 [47.0, 54.0]", "40.0 [37.0, 44.0]", "", "", "", ""],
        ["fused #1#2", "80.0 [77.0, 84.0]", "30.0 [27.0, 34.0]", "", "", "", ""],
    ]
    assert table.strong == {0, 1}
    scored = replace(FIRST, layers={1: made(0.8, official=0.75), 2: made(0.6)})
    table = layers_table(replace(TWO, tasks=(scored, SECOND)), "y")
    assert column(table, "one (heareval)") == ["75.0", "-", "-", "-"]
    assert "two (heareval)" not in table.head


def test_one_task_and_one_layer() -> None:
    alone = replace(TWO, middle=1, late=1, tasks=(FIRST,))
    table = layers_table(alone, "y")
    assert texts(table)[0][0] == "1 (M and L)"
    assert texts(table)[-1][0] == "fused #1"
    assert table.strong == {0}
    assert layer_means(alone, "late") == {}
    assert len(gains_table(alone, "y").rows) == 1


def test_a_reproduction_by_hand() -> None:
    paper = TABLE_III["cnn14"]
    fused = list(paper.fused)
    fused[0] -= 1.6  # ESC-50: over its 1.5
    fused[6] -= 5.0  # GTZAN: just within its 5
    made_again = reproduction_table(measured_as("cnn14", paper.original, fused), "c")
    assert made_again is not None
    assert column(made_again, "fused, off by")[:2] == ["-1.6", "0.0"]
    verdicts = column(made_again, "reproduced")
    assert verdicts == ["not fused", *["yes"] * 9]
    assert texts(made_again)[-1][:4] == ["average", "57.0", "57.0", "0.0"]
    assert made_again.strong == {9}


def test_other_layers_compare_only_the_original() -> None:
    paper = TABLE_III["cnn14"]
    other = replace(measured_as("cnn14", paper.original, paper.original), late=5)
    table = reproduction_table(other, "c")
    assert table is not None
    assert set(column(table, "fused, off by")) == {"-"}
    assert set(column(table, "reproduced")) == {"yes"}
    assert "The paper fuses #3#6 and this study #3#5" in table.caption


def test_no_reproduction_without_the_papers_network_or_tasks() -> None:
    assert reproduction_table(study("yamnet", NINE), "y") is None
    assert reproduction_table(study("cnn14", DEMO), "c") is None
    some = reproduction_table(study("cnn14", NINE[:2]), "c")
    assert some is not None
    assert column(some, "task") == ["ESC-50", "US8K"]


def test_our_place_among_the_systems() -> None:
    paper = TABLE_III["cnn14"]
    table = comparison_table({"ours": measured_as("cnn14", paper.original, paper.fused)})
    assert table is not None
    places = dict(zip(column(table, "system"), column(table, "rank"), strict=True))
    # The same scores as published share a rank, although a published average is rounded.
    assert places["ours"] == places["CNN14-Fusion#3#6"] == "10"
    assert places["BYOL-A"] == "12"
    assert places["M2D-CLAP (2024)"] == "1"
    assert 10 < int(places["EAT"]) < int(places["OpenL3-M"])  # known by their averages alone
    assert places["COLA"] == places["SF-NFNet-F0"] == "-"
    assert column(table, "average") == [
        *sorted((a for a in column(table, "average") if a != "-"), key=float, reverse=True), "-", "-"
    ]  # fmt: skip
    strong = [column(table, "system")[i] for i in sorted(table.strong)]
    assert strong == ["ours", "original of ours"]


def test_fewer_tasks_are_compared_on_what_is_shared() -> None:
    some, others = study("cnn14", NINE[:3]), study("ast", NINE[1:4])
    table = comparison_table({"a": some, "b": others})
    assert table is not None
    assert table.head == ("system", "rank", "US8K", "SPCV2", "average", "source")
    systems = dict(zip(column(table, "system"), texts(table), strict=True))
    assert systems["M2D"][2:5] == ["87.6", "96.0", "91.8"]
    assert systems["COLA"][:5] == ["COLA", "-", "-", "62.4", "-"]
    assert "EAT" not in systems  # nothing but an average of nine is known
    assert "on the 2 shared tasks only" in table.caption
    assert missing_tasks({"a": some})["a"] == ["VC1", "VF", "CRM-D", "GTZAN", "NSynth", "Surge"]


def test_no_comparison_without_a_shared_task() -> None:
    assert comparison_table({"a": study("cnn14", NINE[:1]), "b": study("ast", NINE[1:2])}) is None
    assert comparison_table({"a": study("cnn14", DEMO)}) is None
    assert comparison_table({}) is None
    assert missing_tasks({"a": study("cnn14", NINE)}) == {}


@pytest.mark.parametrize("kinds", [DEMO, NINE, DEMO[:1]], ids=len)
def test_every_row_fills_the_head(kinds: tuple[Kind, ...]) -> None:
    whole = study("cnn14", kinds, official=True)
    tables = [
        gains_table(whole, "x"),
        layers_table(whole, "x"),
        reproduction_table(whole, "x"),
        comparison_table({"x": whole}),
    ]
    for table in tables:
        if table is not None:
            assert {len(row) for row in table.rows} == {len(table.head)}
            assert any(isinstance(cell, Number) for row in table.rows for cell in row)
