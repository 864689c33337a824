"""Draws docs/images/limits.jpg: what a bundle makes of rendered faces that are hard for it, beside an easy one.

    python scripts/limits_picture.py --data DIR [--bundle DIR] [--output docs/images/limits.jpg]

DIR is a data set that `likeness render` has written, none of whose people the bundle was trained on. For each kind the
first face is taken that is of that kind and of no other. Each row shows the picture, the head as its camera sees it,
and the head turned.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PANEL = (200, 210)
ROWS = 5
CAPTION = 24
QUALITY = 80
TEXTURE = 1024  # plenty for pictures of this size

Numbers = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """What a picture is of, by the numbers it was drawn from. `apart` leaves aside what it may have beside."""

    caption: str
    fits: Callable[[Numbers], bool]
    apart: tuple[str, ...] = ()


def _has(drawn: Numbers, name: str) -> bool:
    return drawn[name] is not None and drawn[name].get("style") != "none"


def _covered(drawn: Numbers) -> bool:
    return _has(drawn, "occluder") and drawn["occluder"]["kind"] in ("hand", "mask", "mug", "scarf")


HIDING = ("beard", "glasses", "headwear", "occluder")
KINDS = (
    Kind("from the front", lambda drawn: True),
    Kind("strong expression", lambda drawn: drawn["expression"].get("jawOpen", 0.0) > 0.3),
    Kind("turned 45 to 60 degrees", lambda drawn: 45 < abs(drawn["yaw"]) < 60, ("turned",)),
    Kind("profile", lambda drawn: abs(drawn["yaw"]) > 78, ("turned",)),
    Kind("something before the face", _covered, ("occluder",)),
    Kind("glasses", lambda drawn: _has(drawn, "glasses"), ("glasses",)),
    Kind("beard", lambda drawn: drawn["beard"]["style"] == "full", ("beard",)),
    Kind("hat", lambda drawn: _has(drawn, "headwear") and drawn["headwear"]["kind"] == "hat", ("headwear",)),
    Kind("very dark skin", lambda drawn: drawn["skin"]["melanin"] > 0.85),
    Kind("very light skin", lambda drawn: drawn["skin"]["melanin"] < 0.08),
)


def main() -> int:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--bundle", type=Path, default=ROOT / "backend" / "bundles" / "default", metavar="DIR")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images" / "limits.jpg")
    options = parser.parse_args()
    from backend.pipeline import Reconstructor

    chosen = choose(options.data)
    missing = [kind.caption for kind in KINDS if kind.caption not in chosen]
    if missing:
        print(f"{options.data} has no picture of: {', '.join(missing)}; render more", file=sys.stderr)
        return 1
    reconstructor = Reconstructor.open(options.bundle)
    strips = {}
    for caption, picture in chosen.items():
        print(caption, flush=True)
        strips[caption] = strip(reconstructor, picture, options.bundle)
    compose(strips).save(options.output, quality=QUALITY, optimize=True)
    print(f"{options.output}: {options.output.stat().st_size / 1000:.0f} kB")
    return 0


def choose(folder: Path) -> dict[str, bytes]:
    """The picture of each kind, encoded, by caption; those that are not found are left out."""
    from training.shards import read_shard, shard_paths

    found: dict[str, bytes] = {}
    for path in shard_paths(folder):
        for sample in read_shard(path):
            for kind in KINDS:
                if kind.caption not in found and _is_only(kind, sample.parameters):
                    found[kind.caption] = sample.picture
        if len(found) == len(KINDS):
            break
    return {kind.caption: found[kind.caption] for kind in KINDS if kind.caption in found}


def _is_only(kind: Kind, drawn: Numbers) -> bool:
    hidden = any(_has(drawn, name) for name in HIDING if name not in kind.apart)
    turned = abs(drawn["yaw"]) > 15 or abs(drawn["pitch"]) > 15 or abs(drawn["roll"]) > 12
    return kind.fits(drawn) and not hidden and (not turned or "turned" in kind.apart)


def strip(reconstructor: Any, picture: bytes, bundle_folder: Path) -> Image.Image:
    """Picture and head; where no face is found the picture alone."""
    import bpy

    from backend.failures import Failure
    from blender_addon import bundle as bundles
    from blender_addon import preview, result
    from blender_addon.reconstruction import Reconstruction
    from blender_addon.result import Options, Shot

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "face.jpg"
        path.write_bytes(picture)
        try:
            answer = reconstructor.reconstruct(picture, texture=TEXTURE).to_json()
        except Failure as failure:
            return _alone(path, str(failure))
        bundle = bundles.load(bundle_folder)
        reconstruction = Reconstruction.from_answer(answer, bundle)
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene = bpy.context.scene
        result.add(scene, scene.collection, bundle, [Shot(reconstruction)], Options(camera=False, lights="STUDIO"))
        return Image.fromarray(np.asarray(preview.draw(scene, reconstruction, path, PANEL)))


def _alone(path: Path, sentence: str) -> Image.Image:
    strip = Image.new("RGB", (3 * PANEL[0], PANEL[1]), (40, 43, 47))
    with Image.open(path) as opened:
        strip.paste(opened.convert("RGB").resize((PANEL[0], PANEL[0])), (0, (PANEL[1] - PANEL[0]) // 2))
    words, lines = sentence.split(), [""]
    for word in words:
        lines[-1:] = [f"{lines[-1]} {word}".strip()] if len(lines[-1]) + len(word) < 48 else [lines[-1], word]
    ImageDraw.Draw(strip).text((PANEL[0] + 20, 60), "\n".join(lines), fill=(220, 220, 220), font=_font(15))
    return strip


def compose(strips: Mapping[str, Image.Image]) -> Image.Image:
    """Strips below each other in columns, each under its caption."""
    columns = -(-len(strips) // ROWS)
    wide, tall = 3 * PANEL[0], PANEL[1] + CAPTION
    whole = Image.new("RGB", (columns * (wide + 8) - 8, ROWS * tall), "white")
    draw = ImageDraw.Draw(whole)
    for number, (caption, strip) in enumerate(strips.items()):
        x, y = number // ROWS * (wide + 8), number % ROWS * tall
        draw.text((x + 4, y + 4), caption, fill=(20, 20, 20), font=_font(15))
        whole.paste(strip, (x, y + CAPTION))
    return whole


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


if __name__ == "__main__":
    sys.exit(main())
