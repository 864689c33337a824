"""How long the add-on takes from the backend's answer to a finished head, and how quickly sliders move it.

    python benchmarks/build_head.py [--bundle DIR] [--heads N]

Needs bpy. `whole result` is what a click makes: collection, mesh, all keys, regions, colours, materials, camera with
the photo behind it. `keys at once` are the shape keys alone, written as the add-on writes them; `keys one by one` the
same with a loop over vertices, as add-ons are often written. A slider's time is that of a named slider (of a component
where the bundle has none) written, with all keys read by Blender and the mesh evaluated; nothing is drawn. Times are
medians; the processor's own time stands beside the clock's, which other programs disturb.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

BUDGET_SECONDS = 0.25
FRAMES_A_SECOND = 60
MOVES = 60


def main() -> int:
    """Print the table; 0 where both budgets are kept, 1 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=ROOT / "backend" / "bundles" / "default", help="its folder")
    parser.add_argument("--heads", type=int, default=7, help="how many are built (default: %(default)s)")
    options = parser.parse_args()

    import bpy

    from blender_addon import bundle as bundles
    from blender_addon import head, result, sliders
    from blender_addon.reconstruction import Reconstruction
    from blender_addon.result import Shot

    bundle = bundles.load(options.bundle)
    answer = json.loads(json.dumps(made_up_answer(bundle)))
    print(f"Blender {bpy.app.version_string}; {bundle.name}: {len(bundle.mean)} vertices,", end=" ")
    print(f"{len(bundle.identity)} + {len(bundle.expression)} keys")

    def whole() -> None:
        scene = bpy.context.scene
        image = bpy.data.images.new("photo", 64, 48)
        shot = Shot(Reconstruction.from_answer(answer, bundle), "me.jpg", lambda: image)
        result.add(scene, scene.collection, bundle, [shot])
        bpy.context.view_layer.update()

    def keys(write: Callable[[Any, np.ndarray], None]) -> None:
        mesh = bpy.data.meshes.new("Head")
        mesh.vertices.add(len(bundle.mean))
        thing = bpy.data.objects.new("Head", mesh)
        bpy.context.scene.collection.objects.link(thing)
        thing.shape_key_add(name="Basis", from_mix=False)
        base = head.to_blender(bundle.mean)
        for column in (*bundle.identity, *bundle.expression):
            write(thing.shape_key_add(name="key", from_mix=False), base + head.to_blender(column))

    def at_once(key: Any, positions: np.ndarray) -> None:
        key.points.foreach_set("co", positions.ravel())

    def one_by_one(key: Any, positions: np.ndarray) -> None:
        for point, position in zip(key.data, positions, strict=True):
            point.co = position

    clock, processor = median(whole, options.heads)
    print(f"whole result     {clock:7.3f} s   {processor:7.3f} s of the processor   (budget {BUDGET_SECONDS} s)")
    kept = processor <= BUDGET_SECONDS
    for name, write, count in (("keys at once", at_once, options.heads), ("keys one by one", one_by_one, 1)):
        clock, processor = median(lambda write=write: keys(write), count)
        print(f"{name:16} {clock:7.3f} s   {processor:7.3f} s of the processor")

    bpy.ops.wm.read_factory_settings(use_empty=True)
    whole()
    made = next(thing for thing in bpy.data.objects if head.is_head(thing))
    named = bool(sliders.of(made))
    moves = iter(np.linspace(-2.0, 2.0, 4 * MOVES))

    def move() -> None:
        if named:
            sliders.set_value(made, 0, float(next(moves)))
        else:
            head.identity_keys(made)[0].value = float(next(moves))
        bpy.context.view_layer.update()

    clock, processor = median(move, MOVES)
    print(f"{'named slider' if named else 'component':16} {clock * 1000:6.1f} ms   {processor * 1000:6.1f} ms", end=" ")
    print(f"of the processor   ({1 / processor:.0f} a second, budget {FRAMES_A_SECOND})")
    return 0 if kept and 1 / processor >= FRAMES_A_SECOND else 1


def made_up_answer(bundle: Any) -> dict[str, Any]:
    """As the backend answers, with all that it may estimate."""
    rng = np.random.default_rng(0)
    return {
        "protocol": 1,
        "method": bundle.method,
        "bundle": bundle.name,
        "bundle_sha256": bundle.sha256,
        "identity": rng.normal(size=len(bundle.identity)).tolist(),
        "expression": rng.uniform(size=len(bundle.expression)).tolist(),
        "reflectance": rng.normal(size=len(bundle.reflectance)).tolist(),
        "rotation": np.diag([1.0, -1.0, -1.0]).tolist(),
        "translation": [0.0, 0.0, 900.0],
        "focal": 700.0,
        "image_size": [640, 480],
    }


def median(work: Callable[[], None], count: int) -> tuple[float, float]:
    """Seconds by the clock and of the processor that one call takes."""
    clocks, processors = [], []
    for _ in range(count):
        clock, processor = time.perf_counter(), time.process_time()
        work()
        clocks.append(time.perf_counter() - clock)
        processors.append(time.process_time() - processor)
    return statistics.median(clocks), statistics.median(processors)


if __name__ == "__main__":
    sys.exit(main())
