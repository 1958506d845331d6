"""The configuration of a study: a network, its layers, groups of tasks, and the protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from hear_fusion.backbones import REGISTRY
from hear_fusion.errors import InvalidError, shown
from hear_fusion.files.texts import decoded
from hear_fusion.names import check_layers
from hear_fusion.probes.protocol import Protocol
from hear_fusion.study.selection import Group

# The loader checks the words of some types, such as dates, only by making one.
_LOADER_ERRORS = (ValueError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True)
class StudyConfig:
    """What a study does; every field but the network has a default.

    Attributes:
        backbone: Network, a key of the registry.
        layers: Layers to compare, ascending; by default all of the network.
        groups: ``late`` and ``middle``: names of tasks (``task_name`` of their metadata) in the
            groups D_L and D_M of the paper. Tasks in neither are put where their scores say.
        protocol: The linear evaluation.
        published_learning_rates: Whether heads take the learning rates of the paper's evaluation
            instead of trying those of the protocol; in a file ``learning_rates: published``.
    """

    backbone: str
    layers: tuple[int, ...] = ()
    groups: Mapping[Group, tuple[str, ...]] = field(default_factory=dict)
    protocol: Protocol = field(default_factory=Protocol)
    published_learning_rates: bool = False

    def group_of(self, task_name: str) -> Group | None:
        """Find the group in which the configuration puts a task, if in any."""
        for group, names in self.groups.items():
            if task_name in names:
                return group
        return None

    def as_json(self) -> dict[str, Any]:
        """Make of everything, defaults filled in, what JSON can hold."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def read(cls, source: str | Path) -> Self:
        """Read a YAML file; the name of a network alone stands for its defaults.

        Raises:
            ValueError: If the file cannot be read or a key or value is not as described.

        >>> StudyConfig.read("cnn14").layers
        (1, 2, 3, 4, 5, 6)
        """
        if str(source) in REGISTRY:
            return cls.of({"backbone": str(source)}, str(source))
        import yaml

        path = Path(source)
        if not path.is_file():
            raise InvalidError(
                f"config must be a YAML file or one of {', '.join(REGISTRY)}, got {source}; "
                "'hear-fusion list' shows the networks"
            )
        text = decoded(path.read_bytes(), str(path))
        try:
            content = yaml.safe_load(text)
        except (yaml.YAMLError, *_LOADER_ERRORS) as err:
            raise InvalidError(f"{path} must be YAML, got: {err}") from err
        if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
            raise InvalidError(f"{path} must hold keys and values, got {shown(content)}")
        return cls.of(content, str(path))

    @classmethod
    def of(cls, content: Mapping[str, Any], source: str) -> Self:
        """Check the keys and values of a configuration and fill in the defaults."""
        protocol_keys = list(Protocol.__dataclass_fields__)
        known = ["backbone", "layers", "groups", *protocol_keys]
        unknown = sorted(set(content) - set(known))
        if unknown:
            raise InvalidError(f"keys of {source} must be among {known}, got {unknown}")
        backbone = content.get("backbone")
        if not isinstance(backbone, str) or backbone not in REGISTRY:
            raise InvalidError(
                f"backbone in {source} must be one of {', '.join(REGISTRY)}, got {shown(backbone)}"
            )
        given = {key: _value(content[key]) for key in protocol_keys if key in content}
        published = given.get("learning_rates") == "published"
        if published:
            del given["learning_rates"]
        elif not isinstance(given.get("learning_rates", ()), tuple):
            raise InvalidError(
                f"learning_rates in {source} must be a list of numbers or 'published', "
                f"got {given['learning_rates']!r}"
            )
        try:
            protocol = Protocol(**given)
        except (TypeError, ValueError, OverflowError) as err:
            raise InvalidError(f"{source}: {err}") from err
        return cls(
            backbone=backbone,
            layers=_layers(backbone, content.get("layers", "all"), source),
            groups=_groups(content.get("groups", {}), source),
            protocol=protocol,
            published_learning_rates=published,
        )


def _layers(backbone: str, given: Any, source: str) -> tuple[int, ...]:
    if given == "all":
        return REGISTRY[backbone].layer_numbers()
    if not isinstance(given, list) or len(given) < 2 or not all(type(n) is int for n in given):
        raise InvalidError(
            f"layers in {source} must be 'all' or a list of two or more layer numbers, "
            f"got {shown(given)}; see 'hear-fusion list'"
        )
    try:
        check_layers(backbone, tuple(given))
    except InvalidError as err:
        raise InvalidError(f"{source}: {err}") from err
    return tuple(given)


def _groups(given: Any, source: str) -> dict[Group, tuple[str, ...]]:
    rule = f"groups in {source} must be lists of task names under 'late' and 'middle'"
    if not isinstance(given, dict) or not set(given) <= {"late", "middle"}:
        raise InvalidError(f"{rule}, got {shown(given)}")
    groups: dict[Group, tuple[str, ...]] = {}
    for group, names in given.items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InvalidError(f"{rule}, got {shown(names)}")
        groups[group] = tuple(names)
    twice = sorted(set(groups.get("late", ())) & set(groups.get("middle", ())))
    if twice:
        raise InvalidError(f"{rule}, each in one of them, got {twice} in both")
    return groups


def _value(value: Any) -> Any:
    """Turn lists into tuples, and what YAML 1.1 takes for text, such as 1e-5, into numbers."""
    return tuple(map(_number, value)) if isinstance(value, list) else _number(value)


def _number(value: Any) -> Any:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
