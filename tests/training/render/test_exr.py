from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from training.render.exr import BadExr, read_exr


def exr(channels: dict[str, np.ndarray], compression: int = 0, version: int = 2) -> bytes:
    """A single-part scan-line file, as the format's description lays it out."""

    def attribute(name: str, kind: str, content: bytes) -> bytes:
        return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(content)) + content

    height, width = next(iter(channels.values())).shape
    listed = b"".join(
        name.encode() + b"\0" + struct.pack("<iB3xii", 2 if array.dtype == np.float32 else 1, 0, 1, 1)
        for name, array in sorted(channels.items())
    )
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    header = b"v/1\x01" + struct.pack("<I", version)
    header += attribute("channels", "chlist", listed + b"\0")
    header += attribute("compression", "compression", bytes([compression]))
    header += attribute("dataWindow", "box2i", window) + b"\0"
    lines = [
        struct.pack("<ii", row, sum(array[row].nbytes for array in channels.values()))
        + b"".join(array[row].tobytes() for _, array in sorted(channels.items()))
        for row in range(height)
    ]
    starts = len(header) + 8 * height + np.concatenate([[0], np.cumsum([len(line) for line in lines])[:-1]])
    return header + starts.astype("<u8").tobytes() + b"".join(lines)


CHANNELS = {
    "truth.Depth.Z": np.arange(12, dtype=np.float32).reshape(3, 4),
    "truth.Combined.R": np.linspace(0, 1, 12, dtype=np.float16).reshape(3, 4),
}


def test_channels_are_read_by_name(tmp_path: Path) -> None:
    path = tmp_path / "frame.exr"
    path.write_bytes(exr(CHANNELS))
    read = read_exr(path)
    assert set(read) == set(CHANNELS)
    for name, array in CHANNELS.items():
        np.testing.assert_array_equal(read[name], array.astype(np.float32))


@pytest.mark.parametrize(
    "content", [exr(CHANNELS)[:-5], exr(CHANNELS)[:40], b"", b"no picture", exr(CHANNELS, 3), exr(CHANNELS, 0, 0x1002)]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "frame.exr"
    path.write_bytes(content)
    with pytest.raises(BadExr, match=r"frame\.exr"):
        read_exr(path)
