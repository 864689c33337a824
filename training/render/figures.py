"""Pictures for the documentation.

python -m training.render.figures landmarks --population FILE --output docs/images/landmarks68.png
"""

from __future__ import annotations

import argparse
import io
import sys
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw

from training.populations.files import load_population
from training.populations.identity import Population
from training.shards import DatasetInfo


def landmark_picture(population: Population, size: int = 640, samples: int = 24) -> Image.Image:
    """The template's neutral head from the front and turned, with the 68 points and their numbers drawn on it."""
    from training.render.worker import SampleMaker
    from training.subjects.brows import brow_props
    from training.subjects.view import view_camera

    template = population.template
    maker = SampleMaker(population, DatasetInfo(1, 1, 1, size, samples), threads=0)
    subject = maker.draw(0)
    worlds = maker.stock.worlds
    subject = replace(
        subject,
        expression={},
        skin=replace(subject.skin, melanin=0.22, makeup=None, freckles=0.0, mottle=0.1, texture=""),
        light=replace(subject.light, worlds=(worlds[-1], worlds[-1]), share=0.0, lamps=(), backdrop=-1.0),
        view=replace(
            subject.view, pitch=0.0, roll=0.0, distance=1500.0, fill=0.66, shift=(0.0, 0.0), aperture=0.0,
            transform="Standard", exposure=0.0, warmth=0.0,
        ),
    )  # fmt: skip
    brows = tuple(brow_props(template, template.mean, subject.brows))
    paint = maker.builder.painter.albedo(subject.skin, ())
    picture = Image.new("RGB", (2 * size, size))
    for column, yaw in enumerate((0.0, 40.0)):
        turned = replace(subject, view=replace(subject.view, yaw=yaw))
        camera = view_camera(template, template.mean, turned.view, size)
        figure = replace(maker.build(turned), vertices=template.mean, paint=paint, props=brows, camera=camera)
        maker.show(turned, figure)
        view = Image.open(io.BytesIO(maker.render().picture))
        draw = ImageDraw.Draw(view)
        for number, (x, y) in enumerate(camera.project(template.mean[template.landmarks68])):
            draw.ellipse((x - 2.5, y - 2.5, x + 2.5, y + 2.5), fill=(0, 255, 80), outline=(0, 0, 0))
            draw.text((x + 3, y - 11), str(number), fill=(255, 255, 0), stroke_width=1, stroke_fill=(0, 0, 0))
        picture.paste(view, (column * size, 0))
    maker.close()
    return picture


def main() -> int:
    """Writes the picture asked for."""
    parser = argparse.ArgumentParser(description="Pictures for the documentation")
    kinds = parser.add_subparsers(dest="kind", required=True)
    landmarks = kinds.add_parser("landmarks", help="the 68 points on the template")
    landmarks.add_argument("--population", type=Path, required=True)
    landmarks.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    args.output.parent.mkdir(parents=True, exist_ok=True)
    landmark_picture(load_population(args.population)).save(args.output, quality=88)
    return 0


if __name__ == "__main__":
    sys.exit(main())
