"""What a format is: its name and ending, what it needs, and a function that writes a run into a fresh place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tme.experiments.snapshots import Snapshot, snapshots


@dataclass(frozen=True)
class Choice:
    """What of a run is wanted: by default all. `allow_plugins` lets code run that the run's config names."""

    arm: str | None = None
    replicate: int | None = None
    hour: float | None = None
    allow_plugins: bool = False

    @property
    def narrows(self) -> str:
        """The first of arm, replicate and hour that is given, '' without any."""
        return next((k for k in ("arm", "replicate", "hour") if getattr(self, k) is not None), "")

    def of(self, run: Any) -> list[Snapshot]:
        """The snapshots that are wanted."""
        return snapshots(run, self.arm, self.replicate, self.hour)


class Format:
    """A format. `ending` of the path by default; `needs` (module, extra); `selects` whether arm, replicate and hour can be chosen."""

    name: ClassVar[str]
    about: ClassVar[str]
    ending: ClassVar[str]
    needs: ClassVar[tuple[tuple[str, str], ...]] = ()
    selects: ClassVar[bool] = True

    def is_folder(self, path: Path) -> bool:
        """Whether the path becomes a folder."""
        return False

    def write(self, run: Any, choice: Choice, place: Path) -> Sequence[str]:
        """Write into `place`: a path of a file that is not there yet, or an empty folder. Returns remarks for the reader."""
        raise NotImplementedError
