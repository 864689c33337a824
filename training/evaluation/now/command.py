"""`likeness evaluate now`: a bundle, or predicted meshes, against scans in the NoW benchmark's layout."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from training.evaluation.now.folder import Entry, NowFolder
    from training.evaluation.now.protocol import Pooled
    from training.evaluation.surfaces import Mesh

    Predict = Callable[[Entry], tuple[Mesh, NDArray[np.float64]]]

_UNITS = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
# What of a bundle's head a scanner would see: the mouth's inside, brows and lashes are not scanned.
_SCANNED = ("skin", "eye")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the sub-command's arguments."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the benchmark's folder")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--bundle", type=Path, metavar="DIR", help="reconstruct the benchmark's pictures with this bundle"
    )
    what.add_argument("--predicted", type=Path, metavar="DIR", help="meshes with seven points each, as published")
    parser.add_argument("--metrical", action="store_true", help="the heads' size counts")
    parser.add_argument("--unit", choices=tuple(_UNITS), default="mm", help="of the predicted meshes (default: mm)")
    parser.add_argument("--challenge", metavar="NAME", help="only the pictures of this challenge")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N pictures")
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for now.json, and for a bundle's heads")


def run(args: argparse.Namespace) -> int:
    """Prints median, mean and deviation; returns 0, 1 when some heads are missing, 2 when data or options are wrong."""
    from tqdm import tqdm

    from training.evaluation.now.folder import open_now, read_points
    from training.evaluation.now.protocol import pooled, scan_to_mesh
    from training.evaluation.surfaces import read_mesh

    try:
        data = open_now(args.data, args.challenge)
        predict = _with_bundle(args.bundle, data, args.output) if args.bundle else _read(args.predicted, args.unit)
    except (OSError, ValueError) as error:
        print(f"likeness evaluate now: {error}", file=sys.stderr)
        return 2
    distances, by_challenge, failed = [], dict[str, list[Any]](), 0
    for entry in tqdm(data.entries[: args.limit], desc="scans", unit="head"):
        try:
            head, head_points = predict(entry)
            scan, points = data.scan(entry.subject)
            measured = scan_to_mesh(read_mesh(scan), read_points(points), head, head_points, args.metrical)
        except (OSError, ValueError) as error:
            print(f"{entry.name}: {error}", file=sys.stderr)
            failed += 1
            continue
        distances.append(measured)
        by_challenge.setdefault(entry.challenge, []).append(measured)
    if not distances:
        return 2
    figures = {"all": pooled(distances)} | {name: pooled(part) for name, part in by_challenge.items() if name}
    print(table(figures, args.metrical, failed))
    if args.output:
        args.output.mkdir(parents=True, exist_ok=True)
        record: dict[str, Any] = {"protocol": "metrical" if args.metrical else "non-metrical", "missing": failed}
        record |= {name: asdict(value) for name, value in figures.items()}
        (args.output / "now.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


def table(figures: dict[str, Pooled], metrical: bool, missing: int) -> str:
    """The figures as a Markdown table."""
    lines = [
        f"NoW, {'metrical' if metrical else 'non-metrical'} protocol, mm; {missing} heads missing.",
        "",
        "| pictures | n | median | mean | std |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {name} | {f.scans} | {f.median:.3f} | {f.mean:.3f} | {f.std:.3f} |" for name, f in figures.items()]
    return "\n".join(lines)


def _read(folder: Path, unit: str) -> Predict:
    from training.evaluation.now.folder import prediction, read_points
    from training.evaluation.surfaces import Mesh, read_mesh

    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not there: name the folder of the predicted meshes")

    def predict(entry: Entry) -> tuple[Mesh, NDArray[np.float64]]:
        mesh_path, points_path = prediction(folder, entry)
        mesh = read_mesh(mesh_path)
        return Mesh(mesh.vertices * _UNITS[unit], mesh.triangles), read_points(points_path) * _UNITS[unit]

    return predict


def _with_bundle(folder: Path, data: NowFolder, output: Path | None) -> Predict:
    """The product's own way from a picture to a head, identity only: scans are of neutral faces."""
    import numpy as np

    from backend.failures import Failure
    from backend.pipeline import Reconstructor
    from training.evaluation.now.protocol import IBUG
    from training.evaluation.regressor import load_bundle
    from training.evaluation.surfaces import Mesh, write_obj

    bundle = load_bundle(folder)
    reconstructor = Reconstructor.open(folder)
    names = bundle.description["material_names"]
    seen = np.isin(bundle.head["material"], [names.index(name) for name in _SCANNED if name in names])
    triangles = bundle.head["triangles"][np.repeat(seen, 2)].astype(np.int64)

    def predict(entry: Entry) -> tuple[Mesh, NDArray[np.float64]]:
        try:
            found = reconstructor.reconstruct(data.picture(entry).read_bytes())
        except Failure as error:
            raise ValueError(str(error)) from error
        vertices = bundle.vertices(np.asarray(found.identity, np.float32)[None])[0].astype(np.float64)
        head, points = Mesh(vertices, triangles), vertices[bundle.head["landmarks68"][IBUG]]
        if output is not None:
            path = output / "heads" / f"{entry.name}.obj"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_obj(path, head)
            np.save(path.with_suffix(".npy"), points)
        return head, points

    return predict
