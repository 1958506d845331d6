"""A map of sounds as one page that works from the disk: point for a name, click to hear."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hear_fusion.report.sounds.sound_map import SoundMap

_ROOM = "hear_fusion.report.sounds"


def render_map(sounds: SoundMap, players: Sequence[dict[str, str]]) -> str:
    """Make the page: one HTML file that needs nothing else, but for sounds that it links.

    Whatever names and labels hold, they are data: nothing in the page but its own script runs.

    Args:
        sounds: The map.
        players: For each sound ``{"mp3": content in base64}``, ``{"link": address}`` or
            ``{"fault": why it cannot be heard}``.
    """
    environment = Environment(
        loader=PackageLoader(_ROOM, "."), autoescape=True, undefined=StrictUndefined
    )
    room = files(_ROOM)
    style = (room / "map.css").read_text("utf-8")
    script = "\n".join((room / name).read_text("utf-8") for name in ("map.js", "map_controls.js"))
    return environment.get_template("map.html.j2").render(
        title=sounds.title,
        subtitle=sounds.subtitle,
        n_sounds=len(sounds.paths),
        style=Markup(style),
        style_hash=_hash(style),
        script=Markup(script),
        script_hash=_hash(script),
        map=_json(_data(sounds)),
        sounds=_json(players),
    )


def embedded(mp3: bytes) -> dict[str, str]:
    """Carry a sound inside the page."""
    return {"mp3": base64.b64encode(mp3).decode()}


def _data(sounds: SoundMap) -> dict[str, Any]:
    points = sounds.plane.points
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    half = float((points.max(axis=0) - points.min(axis=0)).max()) / 2 or 1.0
    x, y = ((points - middle) / half).round(5).T
    folders, names = sounds.shown_names()
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "names": names,
        "folders": folders,
        "times": sounds.shown_times(),
        "labelled": any(sounds.labels),
        "groups": [
            {
                "label": group.label,
                "colour": group.colour,
                "shape": group.shape,
                "members": group.members,
            }
            for group in sounds.groups
        ],
        "nearest": sounds.nearest.tolist(),
        "distances": sounds.distances.round(3).tolist(),
    }


def _json(data: object) -> Markup:
    """Write data into a script element, which only ``</`` or ``<!--`` could end."""
    return Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"))


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
