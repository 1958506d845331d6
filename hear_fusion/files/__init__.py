"""What is on a disk: whole files, locks, downloads, archives."""

from hear_fusion.files.atomic import write_whole

__all__ = ["write_whole"]
