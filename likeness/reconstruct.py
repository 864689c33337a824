"""`likeness reconstruct`: photos in, one head file for each out, or one of the person whom they all show."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from likeness import blender, cli, npz, objects
from likeness.outputs import staged

if TYPE_CHECKING:
    from backend.answer import Reconstruction
    from backend.bundle import Bundle
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


@dataclass(frozen=True, slots=True)
class Wishes:
    """What `Reconstructor.reconstruct` is asked for besides the photo."""

    method: str | None
    texture: int | None
    detail: bool
    refine: bool

    @classmethod
    def of(cls, args: argparse.Namespace, job: Job) -> Wishes:
        """As the command line says; detail, where it does not, and texture only where Blender shows them."""
        texture = int(args.texture) if job.needs_blender and args.texture != "off" else None
        detail = job.needs_blender if args.detail is None else args.detail == "on"
        return cls(args.method, texture, detail, args.refine == "on")


_LONG = ("texture", "detail", "uncertainty")

Outcome = tuple[Job, dict[str, Any] | Exception]
"""A photo and where its head goes, and the protocol's answer without texture and detail, or why there is none."""


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
        "--refine",
        choices=("on", "off"),
        default="on",
        help="fit the head to the points that the network sees, where the bundle can (default: %(default)s)",
    )
    parser.add_argument(
        "--same-person",
        action="store_true",
        help="all photos show one person: make one head of them, with the first one's expression, camera and skin",
    )
    parser.add_argument(
        "--preview", type=Path, metavar="PNG", help="also render a picture of the head (of one head only)"
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON for each photo")


def plan(
    images: Sequence[Path],
    output: Path,
    format_: str | None = None,
    preview: Path | None = None,
    same_person: bool = False,
) -> tuple[Job, ...]:
    """Say which file each photo becomes; photos of the `same_person` become the one of the first's job.

    Raises UsageError when the ending is none of `FORMATS`, when several photos would go into one file, and when the
    picture's name is no .png.
    """
    if preview is not None and preview.suffix.lower() != ".png":
        raise UsageError(f"--preview writes a .png file, not {preview.name}")
    if same_person and format_ is not None:
        raise UsageError("--same-person makes one head: name its file as --output, without --format")
    if format_ is None:
        if len(images) > 1 and not same_person:
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
        jobs = plan(args.images, args.output, args.format, args.preview, args.same_person)
        if args.same_person and args.method == objects.METHOD:
            raise UsageError(f"--same-person is for faces, --method {objects.METHOD} for other things")
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
    outcomes: Iterator[Outcome]
    if args.same_person:
        outcomes = of_one_person(reconstructor, args.images, jobs[0], Wishes.of(args, jobs[0]))
    else:
        outcomes = (of_one_photo(reconstructor, job, Wishes.of(args, job)) for job in jobs)
    failed = 0
    for job, answer in outcomes:
        if isinstance(answer, Exception):
            failed += 1
            report_failure(job, answer, as_json=args.json)
        else:
            report_success(job, answer, as_json=args.json)
    return cli.FAILED if failed else cli.DONE


def of_one_photo(reconstructor: Reconstructor, job: Job, wishes: Wishes) -> Outcome:
    """Reconstruct one photo and write its files."""
    from backend.failures import Failure

    try:
        found = reconstructor.reconstruct(job.image.read_bytes(), **asdict(wishes))
        return job, write(job, found, reconstructor.bundle)
    except (Failure, blender.BlenderError, OSError) as error:
        return job, error


def of_one_person(reconstructor: Reconstructor, images: Sequence[Path], job: Job, wishes: Wishes) -> Iterator[Outcome]:
    """Reconstruct photos of one person and write one head, that of the first photo that did not fail."""
    from backend.failures import Failure

    read, errors = dict[int, bytes](), dict[int, Exception]()
    for index, image in enumerate(images):
        try:
            read[index] = image.read_bytes()
        except OSError as error:
            errors[index] = error
    known, answers = list(read), dict[int, dict[str, Any]]()

    def failed(number: int, failure: Failure) -> None:
        errors[known[number]] = failure

    try:
        if known:
            found = reconstructor.reconstruct_together(list(read.values()), failed=failed, **asdict(wishes))
            worked = [index for index in known if index not in errors]
            answers = {index: _without_pictures(one.to_json()) for index, one in zip(worked, found, strict=True)}
            write(replace(job, image=images[worked[0]]), found[0], reconstructor.bundle)
    except (Failure, blender.BlenderError, OSError) as error:
        errors = dict.fromkeys(range(len(images)), error) | errors
    for index, image in enumerate(images):
        yield replace(job, image=image), errors[index] if index in errors else answers[index]


def write(job: Job, found: Reconstruction, bundle: Bundle) -> dict[str, Any]:
    """Write a head's files; return the protocol's answer without texture and detail.

    Raises likeness.blender.BlenderError, and OSError when a file cannot be written. Files that were there before are
    then as they were.
    """
    answer = found.to_json()
    preview = job.preview or job.output.with_suffix(".png")
    with staged(job.output.parent) as folder, staged(preview.parent) as preview_folder, TemporaryDirectory() as unused:
        output = folder / job.output.name
        if job.format == "npz":
            npz.write(output, answer, bundle, found.detail, found.sigma)
        if job.needs_blender:
            blender.write(
                output if job.format != "npz" else Path(unused) / "head.blend",
                preview_folder / preview.name if job.preview else None,
                answer,
                job.image,
                bundle.folder,
            )
    return _without_pictures(answer)


def _without_pictures(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What people read of an answer: neither pictures nor a number for each vertex."""
    return {name: value for name, value in answer.items() if name not in _LONG}


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
