"""One page that tells a whole study: words, figures, tables, and how it was done."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from hear_fusion.errors import InvalidError
from hear_fusion.files.atomic import write_whole
from hear_fusion.files.lock import exclusive
from hear_fusion.files.space import make_folder
from hear_fusion.report.drawing import Drawing, to_svg, write_drawing
from hear_fusion.report.formats import Table, write_table
from hear_fusion.report.labels import study_names
from hear_fusion.report.sections import LOCK_FILE, Picture, Section, read_sections
from hear_fusion.report.study.comparison import (
    comparison_table,
    missing_tasks,
    paper_tasks,
    reproduction_table,
)
from hear_fusion.report.study.figures import study_drawings
from hear_fusion.report.study.tables import gains_table, layers_table
from hear_fusion.report.study.words import duration, selection_rule, summary
from hear_fusion.study.results import Study, find_studies


@dataclass(frozen=True)
class Chapter:
    """A study as the page shows it."""

    name: str
    backbone: str
    summary: str
    rule: str
    drawings: tuple[Drawing, ...]
    tables: tuple[Table, ...]
    facts: tuple[tuple[str, str], ...]
    config: str


def write_report(results: Path, out: Path, assets: Path | None = None) -> list[Path]:
    """Write the page of a results folder, and its tables and figures as files.

    Args:
        results: Folder with studies, and perhaps sections that other verbs added.
        out: The page.
        assets: Folder for ``tables/`` and ``figures/``; beside the page if None.

    Returns:
        The page and the two folders.

    Raises:
        ValueError: If there is no study, one without a task, or a section that cannot be read.
    """
    studies = find_studies(results)
    for study in studies:
        if not study.tasks:
            raise InvalidError(
                f"a study must have at least one task, got none for {study.module}; "
                "run 'hear-fusion study' on a folder of tasks"
            )
    chapters = [
        chapter(study, name) for study, name in zip(studies, study_names(studies), strict=True)
    ]
    sections = [*comparison(studies), *read_sections(results)]
    folder = out.parent if assets is None else assets
    with exclusive(folder / LOCK_FILE, keep=False):
        for drawing in (one for each in chapters for one in each.drawings):
            write_drawing(drawing, folder / "figures")
        for picture in (one for section in sections for one in section.pictures):
            write_whole(folder / "figures" / f"{picture.name}.svg", picture.svg)
        tables = [each.tables for each in chapters] + [each.tables for each in sections]
        for table in (one for several in tables for one in several):
            write_table(table, folder / "tables")
        make_folder(out.parent)
        page = write_whole(out, render(chapters, sections))
        return [page, folder / "tables", folder / "figures"]


def render(chapters: Sequence[Chapter], sections: Sequence[Section]) -> str:
    """Make the page: one HTML file that needs nothing else.

    Args:
        chapters: Studies, one after another.
        sections: What comes after them; their words are escaped and their drawings are images.
    """
    environment = Environment(
        loader=PackageLoader("hear_fusion.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["inline"] = _inline
    environment.filters["address"] = _address
    environment.filters["breakable"] = _breakable
    networks = ", ".join(dict.fromkeys(each.backbone for each in chapters))
    return environment.get_template("page.html.j2").render(
        title=f"Layers and their fusion: {networks}", chapters=chapters, sections=sections
    )


def chapter(study: Study, name: str) -> Chapter:
    """Prepare a study for the page.

    Args:
        study: A network on its tasks.
        name: As the page calls it.
    """
    tables = (gains_table(study, name), reproduction_table(study, name), layers_table(study, name))
    return Chapter(
        name,
        study.backbone,
        summary(study, name),
        selection_rule(study),
        study_drawings(study, name),
        tuple(table for table in tables if table is not None),
        tuple(_facts(study)),
        json.dumps(study.config, indent=2, ensure_ascii=False, default=str),
    )


def comparison(studies: Sequence[Study]) -> list[Section]:
    """Compare with published systems, on what is there of the paper's nine tasks.

    Args:
        studies: All studies; those without any of the nine tasks have no part in it.

    Returns:
        One section, which says which tasks are missing.
    """
    names = study_names(studies)
    named = {name: study for name, study in zip(names, studies, strict=True) if paper_tasks(study)}
    missing = [
        f"{name} was not measured on {', '.join(columns)}."
        for name, columns in missing_tasks(named).items()
    ]
    table = comparison_table(named)
    if table is None:
        why = (
            "The studies share none of the paper's nine tasks."
            if named
            else "None of the paper's nine tasks was measured, so nothing here can be set beside "
            "published numbers. 'hear-fusion tasks' prepares them from their archives."
        )
        return [Section("systems", "Among other systems", (why, *missing))]
    return [Section("systems", "Among other systems", tuple(missing), (table,))]


def _facts(study: Study) -> Iterable[tuple[str, str]]:
    yield "module", study.choice.import_name
    yield (
        "tasks",
        ", ".join(
            f"{task.task} ({task.n_clips} clips, {task.n_classes} classes"
            + (f", {task.n_folds} folds)" if task.n_folds > 1 else ")")
            for task in study.tasks
        ),
    )
    yield "weights, SHA-256", study.weights_sha256
    if study.versions:
        yield "versions", ", ".join(f"{name} {one}" for name, one in study.versions.items())
    if study.hardware:
        yield "hardware", study.hardware
    if study.wall_s:
        steps = ", ".join(f"{step} {duration(time)}" for step, time in study.wall_s.items())
        yield "wall time", f"{duration(sum(study.wall_s.values()))} ({steps})"
    if study.peak_bytes:
        yield "peak memory, last run", f"{study.peak_bytes / 2**30:.2f} GiB"
    if study.date:
        yield "date", study.date


def _inline(drawing: Drawing) -> Markup:
    """Make our own drawing, whose names matplotlib escapes, a part of the page."""
    return Markup(to_svg(drawing))


def _address(picture: Picture) -> str:
    """Make a drawing of unknown making the address of an image: no script in it runs."""
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.svg.encode()).decode()}"


def _breakable(name: str) -> Markup:
    """Let a name go on in a new line after an underscore."""
    return escape(name).replace("_", Markup("_<wbr>"))
