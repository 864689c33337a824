"""`likeness render-objects`: objects, or heads, from several sides, with their shapes.

    likeness render-objects --input modelnet10 --output data/objects
    likeness render-objects --procedural 3000 --jitter 12 --output data/rules
    likeness render-objects --heads population.npz --output data/heads --count 5000
    blender -b --python training/render/objects.py -- --input modelnet10 --output data/objects

One process, one thread; stopped at any moment, the same command goes on from the last chunk.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from training.voxels.folders import Shape, Source
    from training.voxels.orientation import Orientation

# A picture's side over that of the box around what is seen.
_FRAME = 1.12
_SHARP_DEGREES = 30.0
# Kinds of what is made by rule, in turn: chairs differ most.
_RULES = ("chair", "table", "chair", "monitor")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `likeness render-objects`."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--input", type=Path, metavar="DIR", help="folder of ModelNet, ShapeNet or CLASS.npy.gz files")
    what.add_argument("--procedural", type=int, metavar="N", help="N chairs, tables and monitors made by rule")
    what.add_argument("--heads", action="append", metavar="FILE", help="a population file: heads at -45, 0, 45 degrees")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder of the pictures")
    parser.add_argument("--classes", default="", help="only these, such as chair,monitor")
    parser.add_argument("--views", type=int, default=8, metavar="N", help="sides between 0 and 180 degrees (8)")
    parser.add_argument("--jitter", type=float, default=0.0, metavar="DEG", help="how far views stray from those (0)")
    parser.add_argument("--resolution", type=int, default=64, metavar="PX", help="width and height (64)")
    parser.add_argument("--samples", type=int, default=4, metavar="N", help="samples per pixel (4)")
    parser.add_argument("--voxels", type=int, default=30, metavar="N", help="side of the grids (30)")
    parser.add_argument("--up", default="", help="the file's axis that points up, such as z (default: the layout's)")
    parser.add_argument("--front", default="", help="the file's axis that points to the front, such as -y")
    parser.add_argument("--hollow", action="store_true", help="do not fill what a surface encloses")
    parser.add_argument("--count", type=int, default=5000, metavar="N", help="number of heads (5000)")
    parser.add_argument("--seed", type=int, default=1, help="of light and grey; heads of another seed are other people")
    parser.add_argument("--per-chunk", type=int, default=50, metavar="N", help="things in one file (50)")


def run(args: argparse.Namespace) -> int:
    """Renders what is missing; 0 done, 1 when things were left out (each is named), 2 on wrong use."""
    from training.render.views import complain, report

    if min(args.views, args.resolution, args.samples, args.voxels, args.count, args.per_chunk) < 1:
        complain("counts and sizes must be 1 or more")
        return 2
    try:
        faults = _render_heads(args) if args.heads else _render_objects(args)
    except (OSError, ValueError) as error:
        complain(f"{error}")
        return 2
    except KeyboardInterrupt:
        complain("stopped; the same command goes on from the last chunk")
        return 130
    return report(faults)


def _render_heads(args: argparse.Namespace) -> list[str]:
    from training.populations.files import load_populations
    from training.render.posed_heads import heads_info, render_heads

    population = load_populations(args.heads)
    info = heads_info(population, args.count, args.seed, args.resolution, args.samples, args.per_chunk)
    return render_heads(population, args.output, info)


def _render_objects(args: argparse.Namespace) -> list[str]:
    import numpy as np

    from training.render.turntable import Turntable
    from training.render.views import grey_and_alpha, render_views
    from training.views import ViewsInfo

    count, source, read = _from_rules(args) if args.procedural else _from_files(args)
    info = ViewsInfo(
        kind="objects",
        count=count,
        per_chunk=args.per_chunk,
        resolution=args.resolution,
        samples=args.samples,
        azimuths=tuple(float(a) for a in np.linspace(0, 180, args.views)),
        voxels=args.voxels,
        seed=args.seed,
        source=source + (f", jitter {args.jitter:g}" if args.jitter else ""),
    )
    table = Turntable(args.resolution, info.samples)

    def draw(index: int, path: Path) -> tuple[str, str, NDArray[np.uint8], dict[str, NDArray[Any]]]:
        shape = read(index)
        rng = np.random.default_rng([info.seed, index])
        framed = _show(table, shape, rng)
        pictures = [
            grey_and_alpha(table.picture(_view(azimuth + args.jitter * rng.uniform(-1, 1), rng), framed, _FRAME, path))
            for azimuth in info.azimuths
        ]
        bits = np.packbits(shape.grid.ravel())
        return shape.name, shape.kind, np.stack(pictures), {"bits": bits}

    return render_views(args.output, info, draw, "objects")


def _from_files(args: argparse.Namespace) -> tuple[int, str, Callable[[int], Shape]]:
    """Number of shapes, what they are, and how one is read."""
    from training.voxels.folders import ShapeReader, find_shapes

    sources = find_shapes(args.input, tuple(name for name in args.classes.split(",") if name))
    reader = ShapeReader(args.voxels, _orientation(args), not args.hollow)
    return len(sources), _summary(sources, args), lambda index: reader.read(sources[index])


def _from_rules(args: argparse.Namespace) -> tuple[int, str, Callable[[int], Shape]]:
    import numpy as np

    from training.voxels.folders import Shape
    from training.voxels.grid import resized
    from training.voxels.procedural import design, occupancy
    from training.voxels.procedural_mesh import mesh

    def read(index: int) -> Shape:
        kind = _RULES[index % len(_RULES)]
        solids = design(kind, np.random.default_rng([args.seed, index, 1]))
        grid = resized(occupancy(solids, 2 * args.voxels), args.voxels)
        return Shape(f"{kind}/rule/{args.seed}/{index:06d}", kind, grid, mesh=mesh(solids))

    return args.procedural, "made by rule", read


def _orientation(args: argparse.Namespace) -> Orientation | None:
    from training.voxels.orientation import Orientation

    if bool(args.up) != bool(args.front):
        raise ValueError("--up and --front go together, such as --up y --front -z")
    return Orientation(args.up, args.front) if args.up else None


def _show(table: Any, shape: Shape, rng: np.random.Generator) -> NDArray[np.floating]:
    """Puts the shape on the table, its longest side 1; returns its points."""
    import numpy as np

    from blender_addon.surface_nets import surface_nets

    points, faces = shape.mesh if shape.mesh is not None else surface_nets(np.asarray(shape.fine, np.float32))
    used = points[np.unique(faces)]
    low, high = used.min(0), used.max(0)
    scale = 1.0 / (high - low).max()
    table.show((points - (low + high) / 2) * scale, faces, np.full(3, rng.uniform(0.35, 0.8)), _SHARP_DEGREES)
    return (used - (low + high) / 2) * scale


def _view(azimuth: float, rng: np.random.Generator) -> Any:
    from training.render.turntable import View

    return View(
        azimuth=azimuth,
        elevation=float(rng.uniform(12.0, 28.0)),
        key_turn=float(rng.uniform(-60.0, 60.0)),
        key_height=float(rng.uniform(30.0, 65.0)),
        ambient=float(rng.uniform(0.3, 0.6)),
    )


def _summary(sources: list[Source], args: argparse.Namespace) -> str:
    """What the shapes are, for telling one folder's from another's: no paths, which differ between machines."""
    import hashlib

    digest = hashlib.sha256("\n".join(source.name for source in sources).encode()).hexdigest()[:12]
    hollow = " hollow" if args.hollow else ""
    return f"{len(sources)} shapes {digest}, up {args.up or 'own'}, front {args.front or 'own'}{hollow}"


def main() -> int:
    """For `blender -b --python`: options stand behind `--`."""
    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    parser = argparse.ArgumentParser(prog="likeness render-objects", description=__doc__.splitlines()[0])
    add_arguments(parser)
    return run(parser.parse_args(arguments))


if __name__ == "__main__":
    # Blender runs this file by its path, and does not look for modules beside it.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    sys.exit(main())
