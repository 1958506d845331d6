"""What is known about a published weight file, and the error when it is not what it should be."""

from dataclasses import dataclass

from hear_fusion.errors import HearFusionError


class WeightsError(HearFusionError, RuntimeError):
    """A weight file is missing, damaged, unsafe or not the one that was asked for."""


@dataclass(frozen=True)
class WeightsRecord:
    """One published weight file: where it is, what it must hash to, under which terms.

    Attributes:
        filename: Name under which the file lies in the cache.
        url: Where it is downloaded from; ``None`` if only its owner's package holds it.
        licence: SPDX identifier or a sentence, as the publisher states it.
        source: Who published it: paper, repository or record number.
        size_bytes: Length in bytes, if published.
        sha256: Full SHA-256 in lower-case hex, if published.
        sha256_prefix: First hex digits of the SHA-256, where only these are published.
        how_to_get: Command line that gets a file without URL.
        package_file: Path of the file inside an installed package that carries it.
        is_default: Whether a network may load it when no file was asked for.

    >>> WeightsRecord("tiny.pth", None, "MIT", "example", sha256_prefix="ab12").expectation
    'sha256 ab12...'
    """

    filename: str
    url: str | None
    licence: str
    source: str
    size_bytes: int | None = None
    sha256: str | None = None
    sha256_prefix: str | None = None
    how_to_get: str = ""
    package_file: str = ""
    is_default: bool = True

    @property
    def is_pinned(self) -> bool:
        """Whether a hash or a size tells this file from others."""
        return bool(self.sha256 or self.sha256_prefix or self.size_bytes)

    @property
    def expectation(self) -> str:
        """What ``verify`` demands, in words; sizes in bytes."""
        if self.sha256:
            return f"sha256 {self.sha256}"
        known = []
        if self.sha256_prefix:
            known.append(f"sha256 {self.sha256_prefix}...")
        if self.size_bytes:
            known.append(f"{self.size_bytes} bytes")
        return " and ".join(known) or "no published hash or size"
