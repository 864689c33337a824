from __future__ import annotations

import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from training.registration.models.unpickle import BadPickle, Thing, array_of, read_pickle

VALUES = {
    "numbers": [1, -2, 2**40, 1.5, True, None],
    "text": ("ä", b"\x00\xff"),
    "nested": {"a": {"b": [(1, 2), [], {}]}},
    "array": np.arange(12.0).reshape(3, 4),
    "columns first": np.asfortranarray(np.arange(12, dtype=np.int32).reshape(3, 4)),
    "big-endian": np.arange(3, dtype=">f4"),
    "flags": np.array([True, False]),
    "scalar": np.float32(0.25),
}


@pytest.mark.parametrize("protocol", range(5))
def test_it_reads_what_pickle_writes(protocol: int) -> None:
    found = read_pickle(pickle.dumps(VALUES, protocol=protocol))
    assert list(found) == list(VALUES)
    for name, value in VALUES.items():
        if isinstance(value, np.ndarray):
            assert np.array_equal(found[name], value) and found[name].dtype.kind == value.dtype.kind
        else:
            assert found[name] == value, name


def test_it_reads_python_2s_arrays() -> None:
    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    content = struct.pack("<3d", 1.0, -2.5, 1e300)
    dtype = (
        b"cnumpy\ndtype\n("
        + text(b"f8")
        + b"K\x00K\x01tR(K\x03"
        + text(b"<")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t" + text(b"b") + b"tR"
        b"(K\x01(K\x03t" + dtype + b"\x89" + text(content) + b"tb"
    )
    found = read_pickle(b"\x80\x02}" + text(b"v") + array + b"s.")
    assert found["v"].tolist() == [1.0, -2.5, 1e300]


def test_nothing_is_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class MakeFolder:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(marker),)

    for protocol in range(5):
        found = read_pickle(pickle.dumps({"f": MakeFolder()}, protocol=protocol))
        assert isinstance(found["f"], Thing)
    assert not marker.exists()
    with pytest.raises(BadPickle, match="an array was expected, not Thing"):
        array_of(found["f"])


def test_what_it_does_not_know_is_refused() -> None:
    with pytest.raises(BadPickle, match=r"ends in the middle|damaged"):
        read_pickle(pickle.dumps(VALUES)[:100])
    with pytest.raises(BadPickle, match="PERSID"):
        read_pickle(b"Pfile\n.")
    with pytest.raises(BadPickle, match="damaged"):
        read_pickle(b"e.")
    for junk in (b"", b"\x80", b"garbage", b"\x00\x01"):
        with pytest.raises(BadPickle):
            read_pickle(junk)
    with pytest.raises(BadPickle, match="not of numbers"):
        read_pickle(pickle.dumps(np.array(["a", "b"]), protocol=2))
