"""How many faces the localiser finds, how well it places them, and what else it takes for a face.

    python benchmarks/localise.py PHOTOS [--only VARIANT...] [--without-faces IMAGE...]

PHOTOS is a folder with `landmarks.csv`: one row an image, its name and 68 iBUG points x00, y00, ... in pixels. Each
photo is looked at as it is, with its face a fifth of the picture's height, cropped tightly, rolled by 45 and 90
degrees, dark, and blurred. Found means: some face whose eyes are within a tenth of the diagonal of the landmarks' box
of the true eyes. `first` counts the photos whose labelled face came first: where there are other people it need not,
and `other findings` are mostly those. Then the side of the first crop over the true one's, and the distance of its
centre from the true one's as a share of the side, and the difference of roll in degrees, each mean and standard
deviation; milliseconds. Images without a face are noise, gradients and plain colours from a seed, and those given.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from backend.crop import Crop, crop_from_keypoints, crop_from_landmarks
from backend.decode import Picture
from backend.localise import Face, Localiser

Floats = NDArray[np.float64]
Labelled = tuple[Image.Image, Floats]


def rolled(degrees: float) -> Callable[[Image.Image, Floats], Labelled]:
    """Turn the picture, keeping all of it."""

    def change(image: Image.Image, points: Floats) -> Labelled:
        turned = image.rotate(degrees, Image.Resampling.BILINEAR, expand=True)
        angle = np.deg2rad(degrees)
        rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return turned, (points - np.array(image.size) / 2) @ rotation.T + np.array(turned.size) / 2

    return change


def small(share: float, aspect: float) -> Callable[[Image.Image, Floats], Labelled]:
    """Put the picture on a larger canvas, the face's height `share` of the canvas's."""

    def change(image: Image.Image, points: Floats) -> Labelled:
        height = 720
        scale = height * share / float(np.ptp(points[:, 1]))
        shrunk = image.resize((max(round(image.width * scale), 1), max(round(image.height * scale), 1)))
        canvas = Image.new("RGB", (round(height * aspect), height), (90, 100, 110))
        corner = (round(canvas.width * 0.55), round(canvas.height * 0.3))
        canvas.paste(shrunk, corner)
        return canvas, points * (np.array(shrunk.size) / image.size) + corner

    return change


def tight(image: Image.Image, points: Floats) -> Labelled:
    """Cut the picture to the landmarks' box."""
    low = np.maximum(np.floor(points.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(points.max(axis=0)), image.size).astype(int)
    return image.crop((int(low[0]), int(low[1]), int(high[0]), int(high[1]))), points - low


def dark(image: Image.Image, points: Floats) -> Labelled:
    """A fifth of the light."""
    return ImageEnhance.Brightness(image).enhance(0.2), points


def blurred(image: Image.Image, points: Floats) -> Labelled:
    """A Gaussian blur whose standard deviation is 3 % of the face: eyes become smudges."""
    return image.filter(ImageFilter.GaussianBlur(0.03 * float(np.ptp(points, axis=0).max()))), points


VARIANTS: dict[str, Callable[[Image.Image, Floats], Labelled]] = {
    "as it is": lambda image, points: (image, points),
    "a fifth, 3:2": small(0.2, 1.5),
    "a fifth, 16:9": small(0.2, 16 / 9),
    "tight": tight,
    "rolled 45": rolled(45),
    "rolled -45": rolled(-45),
    "rolled 90": rolled(90),
    "dark": dark,
    "blurred": blurred,
}


def labelled(folder: Path) -> Iterator[Labelled]:
    """The photos and their points."""
    with (folder / "landmarks.csv").open(encoding="utf-8") as file:
        for name, *numbers in list(csv.reader(file))[1:]:
            yield Image.open(folder / name).convert("RGB"), np.array(numbers, float).reshape(68, 2)


def is_it(face: Face, points: Floats) -> bool:
    """Whether `face` is the labelled one."""
    eyes = np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0)])
    away = np.linalg.norm(face.keypoints[:2] - eyes, axis=1).mean()
    return bool(away < 0.1 * np.linalg.norm(np.ptp(points, axis=0)))


def measure(localiser: Localiser, folder: Path, variant: Callable[[Image.Image, Floats], Labelled]) -> str:
    """One line of the table."""
    photos = found = first = others = 0
    sides, aways, rolls, seconds = [], [], [], []
    for image, points in labelled(folder):
        image, points = variant(image, points)
        started = time.perf_counter()
        faces = localiser.find(Picture(image, image.size))
        seconds.append(time.perf_counter() - started)
        matches = [number for number, face in enumerate(faces) if is_it(face, points)]
        photos += 1
        found += bool(matches)
        first += 0 in matches
        others += len(faces) - len(matches)
        if matches:
            face = faces[matches[0]]
            guess, truth = crop_from_keypoints(face.keypoints, face.centre), crop_from_landmarks(points)
            sides.append(guess.side / truth.side)
            aways.append(_away(guess, truth))
            rolls.append(np.rad2deg(guess.roll - truth.roll))
    return (
        f"{found:4}/{photos}  first {first:4}  other findings {others:3}  "
        f"side {np.mean(sides):.3f} {np.std(sides):.3f}  "
        f"centre {np.mean(aways):.3f} {np.std(aways):.3f}  roll {np.mean(rolls):5.2f} {np.std(rolls):.2f}  "
        f"ms {1000 * float(np.median(seconds)):.0f}"
    )


def _away(guess: Crop, truth: Crop) -> float:
    return float(np.hypot(guess.centre[0] - truth.centre[0], guess.centre[1] - truth.centre[1]) / truth.side)


def faceless(count: int, rng: np.random.Generator) -> Iterator[tuple[str, Image.Image]]:
    """Noise at every scale, white noise, skies over meadows, plain colours, in turn."""
    for number in range(count):
        height, width = (int(n) for n in rng.integers(120, 900, 2))
        kind = ("clouds", "noise", "meadow", "plain")[number % 4]
        if kind == "clouds":
            pixels = np.zeros((height, width, 3))
            for octave in range(2, 9):
                coarse = rng.uniform(0, 255, (max(height >> octave, 2), max(width >> octave, 2), 3)).astype(np.uint8)
                layer = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
                pixels += np.asarray(layer, float) * 2.0 ** (octave - 8)
            pixels = (pixels - pixels.min()) / np.ptp(pixels) * 255
        elif kind == "noise":
            pixels = rng.uniform(0, 255, (height, width, 3))
        elif kind == "meadow":
            down = np.linspace(0, 1, height)[:, None, None]
            pixels = np.array([90, 140, 220]) * (1 - down) + np.array([70, 110, 40]) * down
            pixels = pixels + rng.normal(0, 12, (height, width, 3))
        else:
            pixels = np.broadcast_to(rng.uniform(0, 255, 3), (height, width, 3))
        yield f"{kind} {number}", Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Measure the face localiser.")
    parser.add_argument("photos", type=Path, help="folder with landmarks.csv")
    parser.add_argument("--without-faces", type=Path, nargs="*", default=[], metavar="IMAGE")
    parser.add_argument("--only", nargs="*", choices=VARIANTS, default=list(VARIANTS), help="these variants")
    options = parser.parse_args()
    localiser = Localiser.open()
    for name in options.only:
        print(f"{name:14} {measure(localiser, options.photos, VARIANTS[name])}", flush=True)
    images = [*faceless(200, np.random.default_rng(0))]
    images += [(path.name, Image.open(path).convert("RGB")) for path in options.without_faces]
    wrong = 0
    for name, image in images:
        faces = localiser.find(Picture(image, image.size))
        wrong += bool(faces)
        if faces:
            print(f"a face in {name}: score {faces[0].score:.2f}, box {[round(n) for n in faces[0].box]}")
    print(f"{wrong} of {len(images)} images without a face gave one")
    return 0


if __name__ == "__main__":
    sys.exit(main())
