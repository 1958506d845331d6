"""Makes every choice importable as a module: ``import hear_fusion.cnn14_3_6``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from hear_fusion.errors import MissingModuleError

PACKAGE = "hear_fusion"


class ChoiceFinder(MetaPathFinder):
    """Answers for names of the shape of a choice inside this package, and for nothing else."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 (the import system's signature)
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Give the spec of a choice's module.

        Raises:
            ModuleNotFoundError: If the name has the shape of a choice but is none; the message
                says what is valid.
        """
        package, _, name = fullname.rpartition(".")
        if package != PACKAGE:
            return None
        # Here, not above: the networks import torch, and this package imports this file first.
        from hear_fusion.names import is_choice_like, parse

        if not is_choice_like(name):
            return None
        try:
            parse(name)
        except ValueError as err:
            raise MissingModuleError(f"no module {fullname!r}: {err}", name=fullname) from err
        return ModuleSpec(fullname, ChoiceLoader(), origin=f"{PACKAGE}.hear")


class ChoiceLoader(Loader):
    """Fills a choice's module with the HEAR functions."""

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave the making of the module to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Put the HEAR functions of this choice into the module."""
        from hear_fusion import hear
        from hear_fusion.names import parse

        choice = parse(module.__name__.rpartition(".")[2])
        module.__doc__ = hear.describe(choice)
        for name, value in hear.functions(choice, module.__name__).items():
            setattr(module, name, value)


def install() -> None:
    """Append the finder to ``sys.meta_path``, once."""
    if not any(isinstance(finder, ChoiceFinder) for finder in sys.meta_path):
        sys.meta_path.append(ChoiceFinder())
