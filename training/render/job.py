"""What a rendering process is told and what it answers; shared by both ends, without Blender."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from training.shards import DatasetInfo

# A process writes lines to its parent's pipe: this word, an event, and an index or a sentence in JSON.
MARK = "likeness-render"
BEGUN, DONE, FAILED, STOPPED = "begun", "done", "failed", "stopped"


class RenderStopped(RuntimeError):
    """Rendering cannot go on; the message says why and what to do. Finished shards are kept."""


@dataclass(frozen=True)
class RenderJob:
    """The shards of a dataset that one process renders.

    populations as on the command line (``FILE`` or ``FILE:WEIGHT``), threads 0 for all cores, crashed the samples that
    took Blender down before and are recorded as failed.
    """

    folder: Path
    info: DatasetInfo
    shards: tuple[int, ...]
    populations: tuple[str, ...]
    threads: int = 1
    hdris: Path | None = None
    assets: Path | None = None
    crashed: tuple[int, ...] = ()

    def to_json(self) -> str:
        """One line that :meth:`from_json` reads."""
        return json.dumps(asdict(self), default=str)

    @staticmethod
    def from_json(text: str) -> RenderJob:
        """The job in a line of :meth:`to_json`."""
        values = json.loads(text)
        values["folder"] = Path(values["folder"])
        tuples = {name: tuple(values["info"].get(name, ())) for name in ("passes", "yaws")}
        values["info"] = DatasetInfo(**(values["info"] | tuples))
        for name in ("shards", "populations", "crashed"):
            values[name] = tuple(values[name])
        for name in ("hdris", "assets"):
            values[name] = Path(values[name]) if values[name] else None
        return RenderJob(**values)


def failures_path(folder: Path, shard: int) -> Path:
    """Where a shard's failed samples are recorded, one JSON object per line."""
    return folder / "failed" / f"shard-{shard:06d}.jsonl"
