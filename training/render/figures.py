"""Pictures for the documentation.

python -m training.render.figures landmarks --population FILE --output docs/images/landmarks68.png
python -m training.render.figures sheet --data DATA --output docs/images/renders.jpg
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw

from training.populations.anny import AnnyPopulation
from training.shards import read_shard


def landmark_picture(population: AnnyPopulation, size: int = 640, samples: int = 24) -> Image.Image:
    """The template's neutral head from the front and turned, with the 68 points and their numbers drawn on it."""
    from training.render.scene import TrainingScene
    from training.subjects.subject import Painter, draw_subject, subject_camera

    template = population.template
    scene = TrainingScene(template, size, samples, threads=0)
    subject = draw_subject(population, 1, 0)
    subject = replace(
        subject,
        skin=replace(subject.skin, melanin=0.22, stubble=0.0, lips=0.6, mottle=0.03),
        hair=replace(subject.hair, thickness=0.0, colour=(0.03, 0.018, 0.01), brows=1.0),
        light=replace(subject.light, world=5, strength=0.9, turn=200.0, tint=(1.0, 1.0, 1.0), key=2.0, key_height=30.0),
        pitch=0.0, roll=0.0, distance=1500.0, fill=0.66, shift=(0.0, 0.0), expression={},
    )  # fmt: skip
    albedo = Painter(template).albedo(subject)
    picture = Image.new("RGB", (2 * size, size))
    with tempfile.TemporaryDirectory() as scratch:
        for column, yaw in enumerate((0.0, 40.0)):
            turned = replace(subject, yaw=yaw)
            camera = subject_camera(template, template.mean, turned, size)
            scene.set_subject(turned, template.mean, albedo, camera)
            view = Image.open(io.BytesIO(scene.render(Path(scratch) / "view.jpg")))
            draw = ImageDraw.Draw(view)
            for number, (x, y) in enumerate(camera.project(template.mean[template.landmarks68])):
                draw.ellipse((x - 2.5, y - 2.5, x + 2.5, y + 2.5), fill=(0, 255, 80), outline=(0, 0, 0))
                draw.text((x + 3, y - 11), str(number), fill=(255, 255, 0), stroke_width=1, stroke_fill=(0, 0, 0))
            picture.paste(view, (column * size, 0))
    return picture


def contact_sheet(data: Path, columns: int = 10, rows: int = 5) -> Image.Image:
    """The first pictures of a dataset, side by side."""
    pictures = []
    for shard in sorted(data.glob("shard-*.tar")):
        for sample in read_shard(shard):
            pictures.append(Image.open(io.BytesIO(sample.picture)).convert("RGB"))
            if len(pictures) == columns * rows:
                break
        if len(pictures) == columns * rows:
            break
    if not pictures:
        raise FileNotFoundError(f"{data} holds no finished shard: make some with `likeness render --output {data}`.")
    size = pictures[0].width
    sheet = Image.new("RGB", (columns * size, -(-len(pictures) // columns) * size))
    for index, picture in enumerate(pictures):
        sheet.paste(picture, (index % columns * size, index // columns * size))
    return sheet


def main() -> int:
    """Writes the picture asked for."""
    parser = argparse.ArgumentParser(description="Pictures for the documentation")
    kinds = parser.add_subparsers(dest="kind", required=True)
    landmarks = kinds.add_parser("landmarks", help="the 68 points on the template")
    landmarks.add_argument("--population", type=Path, required=True)
    sheet = kinds.add_parser("sheet", help="the first pictures of a dataset")
    sheet.add_argument("--data", type=Path, required=True)
    for each in (landmarks, sheet):
        each.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    if args.kind == "landmarks":
        picture = landmark_picture(AnnyPopulation.load(args.population))
    else:
        picture = contact_sheet(args.data)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    picture.save(args.output, quality=88)
    return 0


if __name__ == "__main__":
    sys.exit(main())
