"""Whether the official HEAR tools are installed, and what to do when they are not."""

from __future__ import annotations

from importlib.util import find_spec

from hear_fusion.errors import MissingModuleError

TOOLS = ("heareval", "hearvalidator", "tensorflow")


def require_tools() -> None:
    """Check that the official tools can be imported, without importing them.

    Raises:
        ModuleNotFoundError: If one is missing; says how to install them all.
    """
    missing = [name for name in TOOLS if find_spec(name) is None]
    if missing:
        raise MissingModuleError(
            f"evaluation must find the official HEAR tools, got no {' and no '.join(missing)}; "
            "install them with\n"
            "  pip install -r requirements-hear.txt\n"
            "  pip install --no-deps --ignore-requires-python heareval==2021.1.3 "
            "hearvalidator==2021.0.6",
            name=missing[0],
        )
