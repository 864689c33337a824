"""`likeness reconstruct`: photos in, one head file for each out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from likeness import blender, cli, npz, objects
from likeness.outputs import staged

if TYPE_CHECKING:
    from backend.pipeline import Reconstructor

FORMATS = ("blend", "glb", "fbx", "obj", "npz")
TEXTURES = (1024, 2048, 4096)


class UsageError(Exception):
    """The command line asks for something that cannot be; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Job:
    """One photo and where its head goes."""

    image: Path
    output: Path
    preview: Path | None = None

    @property
    def format(self) -> str:
        """The output's ending, without its dot."""
        return self.output.suffix.removeprefix(".").lower()

    @property
    def needs_blender(self) -> bool:
        """Whether Blender writes any of the job's files."""
        return self.format != "npz" or self.preview is not None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `likeness reconstruct`."""
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="a photo with one face in it")
    parser.add_argument(
        "--output",
        required=True,
        type=Path,
        metavar="PATH",
        help="the file to write, whose ending chooses the format (.blend .glb .fbx .obj .npz); "
        "with --format, the folder to write into",
    )
    parser.add_argument("--format", choices=FORMATS, help="write into the folder PATH, one file of this format a photo")
    parser.add_argument(
        "--method",
        metavar="NAME",
        help="the method to use, where the bundle offers several; components-objects: chairs and the like, not faces",
    )
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="the bundle to use instead of the one that ships")
    parser.add_argument(
        "--texture",
        choices=("off", *map(str, TEXTURES)),
        default="2048",
        help="side of the skin's texture from the photo, in .blend, .glb, .fbx and the preview (default: %(default)s); "
        "off: an even skin",
    )
    parser.add_argument(
        "--detail",
        choices=("on", "off"),
        help="wrinkles and folds from the photo's shading: a normal map in .blend, .glb, .fbx and the preview, where "
        "it is on unless you say otherwise; in .npz, where it is off, a displacement and a normal map",
    )
    parser.add_argument(
        "--preview", type=Path, metavar="PNG", help="also render a picture of the head (one photo only)"
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON for each photo")


def plan(
    images: Sequence[Path], output: Path, format_: str | None = None, preview: Path | None = None
) -> tuple[Job, ...]:
    """Say which file each photo becomes.

    Raises UsageError when the ending is none of `FORMATS`, when several photos would go into one file, and when the
    picture's name is no .png.
    """
    if preview is not None and preview.suffix.lower() != ".png":
        raise UsageError(f"--preview writes a .png file, not {preview.name}")
    if format_ is None:
        if len(images) > 1:
            raise UsageError("several photos need a folder as --output, and --format to choose the format")
        if output.suffix.lower().removeprefix(".") not in FORMATS:
            endings = " ".join(f".{name}" for name in FORMATS)
            raise UsageError(f"--output {output} must end in one of {endings}, or be a folder with --format")
        return (Job(images[0], output, preview),)
    if output.is_file():
        raise UsageError(f"--output {output} is a file; with --format it must be a folder")
    if preview is not None and len(images) > 1:
        raise UsageError("--preview takes one photo")
    outputs = [output / f"{image.stem}.{format_}" for image in images]
    if twice := sorted({str(path) for path in outputs if outputs.count(path) > 1}):
        raise UsageError(f"two photos of the same name would both become {twice[0]}; rename one")
    return tuple(Job(image, path, preview) for image, path in zip(images, outputs, strict=True))


def run(args: argparse.Namespace) -> int:
    """Reconstruct every photo; return 0, 1 if some failed (each is named on standard error), or 2."""
    try:
        jobs = plan(args.images, args.output, args.format, args.preview)
    except UsageError as error:
        print(f"likeness reconstruct: error: {error}", file=sys.stderr)
        return cli.WRONG_USAGE
    if args.method == objects.METHOD:
        return objects.run(args, jobs)

    from backend.failures import Failure
    from backend.pipeline import Reconstructor

    try:
        if any(job.needs_blender for job in jobs):
            blender.load()
        reconstructor = Reconstructor.open(args.bundle)
    except (Failure, blender.BlenderError) as error:
        print(f"likeness: {error}", file=sys.stderr)
        return cli.FAILED
    failed = 0
    for job in jobs:
        try:
            texture = None if args.texture == "off" else int(args.texture)
            answer = reconstruct(reconstructor, job, args.method, texture, _detailed(job, args.detail))
        except (Failure, blender.BlenderError, OSError) as error:
            failed += 1
            report_failure(job, error, as_json=args.json)
        else:
            report_success(job, answer, as_json=args.json)
    return cli.FAILED if failed else cli.DONE


def reconstruct(
    reconstructor: Reconstructor, job: Job, method: str | None, texture: int | None = None, detail: bool = False
) -> dict[str, Any]:
    """Reconstruct one photo and write its files; return the protocol's answer without texture and detail.

    Raises backend.failures.Failure, likeness.blender.BlenderError, and OSError when the photo cannot be read or a file
    not be written. Files that were there before are then as they were.
    """
    wanted = texture if job.needs_blender else None
    found = reconstructor.reconstruct(job.image.read_bytes(), method=method, texture=wanted, detail=detail)
    answer = found.to_json()
    preview = job.preview or job.output.with_suffix(".png")
    with staged(job.output.parent) as folder, staged(preview.parent) as preview_folder, TemporaryDirectory() as unused:
        output = folder / job.output.name
        if job.format == "npz":
            npz.write(output, answer, reconstructor.bundle, found.detail)
        if job.needs_blender:
            blender.write(
                output if job.format != "npz" else Path(unused) / "head.blend",
                preview_folder / preview.name if job.preview else None,
                answer,
                job.image,
                reconstructor.bundle.folder,
            )
    for name in ("texture", "detail"):
        answer.pop(name, None)
    return answer


def _detailed(job: Job, chosen: str | None) -> bool:
    """Whether detail is computed: as `--detail` says, else where Blender shows it."""
    return job.needs_blender if chosen is None else chosen == "on"


def report_success(job: Job, answer: Mapping[str, Any], *, as_json: bool) -> None:
    """Say on standard output what was written."""
    if as_json:
        files = {"output": str(job.output)} | ({"preview": str(job.preview)} if job.preview else {})
        print(json.dumps({"image": str(job.image), **files, **answer}), flush=True)
    else:
        seconds = sum(answer["seconds"].values())
        print(f"{job.image} -> {job.output} ({answer['method']}, {seconds:.1f} s)", flush=True)


def report_failure(job: Job, error: Exception, *, as_json: bool) -> None:
    """Name the photo that failed on standard error, and on standard output too if JSON is asked for."""
    message = str(error)
    if isinstance(error, OSError) and error.strerror:
        message = f"{error.filename}: {error.strerror}" if error.filename != str(job.image) else error.strerror
    print(f"{job.image}: {message}", file=sys.stderr, flush=True)
    if as_json:
        code = getattr(error, "code", "file")
        print(json.dumps({"image": str(job.image), "error": {"code": code, "message": message}}), flush=True)
