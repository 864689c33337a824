"""`likeness reconstruct --method components-objects`: pictures of objects in, one mesh file for each out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from likeness import blender, cli
from likeness.outputs import held_stdout, staged

if TYPE_CHECKING:
    from backend.voxels import VoxelReconstruction, VoxelReconstructor
    from likeness.reconstruct import Job

METHOD = "components-objects"


def run(args: argparse.Namespace, jobs: Sequence[Job]) -> int:
    """Reconstruct the object of every picture; return 0, or 1 if some failed (each is named on standard error)."""
    from backend.failures import Failure
    from backend.voxels import VoxelReconstructor
    from likeness.reconstruct import report_failure, report_success

    try:
        if any(job.needs_blender for job in jobs):
            blender.load()
        reconstructor = VoxelReconstructor.open(args.bundle)
    except (Failure, blender.BlenderError) as error:
        print(f"likeness: {error}", file=sys.stderr)
        return cli.FAILED
    failed = 0
    for job in jobs:
        try:
            answer = reconstruct(reconstructor, job)
        except (Failure, blender.BlenderError, OSError) as error:
            failed += 1
            report_failure(job, error, as_json=args.json)
        else:
            report_success(job, answer, as_json=args.json)
    return cli.FAILED if failed else cli.DONE


def reconstruct(reconstructor: VoxelReconstructor, job: Job) -> dict[str, Any]:
    """Reconstruct one picture and write its files; return the answer, as the protocol gives it.

    Raises backend.failures.Failure, likeness.blender.BlenderError, and OSError when the picture cannot be read or a
    file not be written. Files that were there before are then as they were.
    """
    found = reconstructor.reconstruct(job.image.read_bytes())
    answer = found.to_json()
    preview = job.preview or job.output.with_suffix(".png")
    with staged(job.output.parent) as folder, staged(preview.parent) as preview_folder, TemporaryDirectory() as unused:
        output = folder / job.output.name
        if job.format == "npz":
            write_npz(output, found)
        if job.needs_blender:
            write_mesh(
                output if job.format != "npz" else Path(unused) / "object.blend",
                preview_folder / preview.name if job.preview else None,
                answer,
                job.image,
            )
    return answer


def write_npz(path: Path, found: VoxelReconstruction) -> None:
    """Write `path`: occupancy (R,R,R) float32, threshold, and the mesh of it, vertices (V,3) and triangles (F,3).

    Vertices are in units of the grid's side, z up, the front towards -y.
    """
    import numpy as np

    from blender_addon.objects_voxels import Voxels

    occupancy = np.round(found.occupancy * 255).astype(np.uint8)
    vertices, quads = Voxels(occupancy, found.threshold).mesh(found.threshold)
    arrays = {
        "occupancy": found.occupancy,
        "threshold": np.float32(found.threshold),
        "vertices": vertices,
        "triangles": np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]),
        "method": np.array(METHOD),
        "bundle": np.array(found.bundle),
    }
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def write_mesh(output: Path, preview: Path | None, answer: Mapping[str, Any], image: Path) -> None:
    """Write the object of `answer` to `output`, whose ending chooses the format, and its picture to `preview`.

    Raises likeness.blender.BlenderError.
    """
    from blender_addon.failures import Failure
    from blender_addon.objects_file import build_object_file

    try:
        with held_stdout():
            build_object_file(answer, output, preview, photo=image.name)
    except (Failure, RuntimeError) as error:
        raise blender.BlenderError(str(error).strip().replace(str(output), output.name)) from error
