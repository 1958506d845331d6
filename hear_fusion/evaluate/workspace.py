"""Where the child processes of one evaluation run, log and leave passing files."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hear_fusion.parallel.processes import child_environment


@dataclass
class Workspace:
    """Places and environment shared by the child processes.

    Attributes:
        embeddings_dir: Absolute path of the folder of module folders.
        used: Scratch folders handed out so far.
    """

    embeddings_dir: Path
    used: list[Path] = field(default_factory=list)

    def log(self, folder: Path, step: str) -> Path:
        """Return the log file of a step, empty."""
        path = self.embeddings_dir / ".logs" / folder.relative_to(self.embeddings_dir)
        path = path.with_name(f"{path.name}.{step}.log")
        path.unlink(missing_ok=True)
        return path

    def scratch(self, folder: Path) -> Path:
        """Make an empty folder for passing files."""
        path = self.embeddings_dir / ".scratch" / folder.relative_to(self.embeddings_dir)
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        self.used.append(path)
        return path

    def clean(self) -> None:
        """Remove what this workspace put into the scratch folder, and the folder if it is empty."""
        for path in self.used:
            shutil.rmtree(path, ignore_errors=True)
        scratch = self.embeddings_dir / ".scratch"
        for path in (*scratch.glob("*"), scratch):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()

    @staticmethod
    def environment(**variables: str) -> Mapping[str, str]:
        """Make an environment in which the user's modules and this package can be imported."""
        return child_environment(os.getcwd(), PYTHONUNBUFFERED="1", **variables)
