"""How fast each rasteriser is on a face model's heads, and whether they agree.

    python benchmarks/rasterise.py MODEL [--size 240] [--batch 32] [--repeats 5] [--device cpu]

MODEL is a face model (`model.npz` in the folder of a run of `inverse` or `mofa`). Heads are drawn as the first corpus
of `inverse` is. Time is the least of the repeats, for finding the triangles alone and for a whole picture (vertices,
shading, interpolation). Differing is the share of pixels for which the two name another triangle.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from training.formation.code import CodeSizes
from training.formation.decoder import skin_decoder
from training.formation.face_model import FaceModel
from training.formation.picture import draw
from training.formation.raster import Engine, rasterise, warp_is_installed
from training.recipes.inverse.config import paper
from training.recipes.inverse.corpus import draw_first


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--size", type=int, default=240)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    model = FaceModel.load(args.model)
    config = replace(paper(), codes=CodeSizes(*model.sizes), size=args.size)
    drawn = draw_first(config, model, np.random.default_rng(0), args.batch)
    decoder = skin_decoder(model).to(args.device)
    code = config.codes.split(torch.from_numpy(drawn.theta).to(args.device))
    distance = torch.from_numpy(drawn.distance).to(args.device)
    engines: list[Engine] = ["torch", "warp"] if warp_is_installed() else ["torch"]
    found = {}
    print("| engine | ms a head, triangles | ms a head, picture |\n|---|---|---|")
    with torch.no_grad():
        surface = decoder.surface(code)
        seen = decoder.see(surface, *decoder.frame(surface, distance, args.size, config.fill), args.size)
        for engine in engines:

            def picture(engine: Engine = engine) -> None:
                draw(decoder, decoder.surface(code), seen, args.size, engine)

            def triangles(engine: Engine = engine) -> None:
                found[engine] = rasterise(seen.points, decoder.triangles, args.size, engine)

            times = [_least(job, args.repeats, args.device) / args.batch for job in (triangles, picture)]
            print(f"| {engine} | {1000 * times[0]:.2f} | {1000 * times[1]:.2f} |")
    if len(found) == 2:
        print(f"\ndiffering: {float((found['torch'] != found['warp']).float().mean()):.2e}")


def _least(job: Callable[[], None], repeats: int, device: str) -> float:
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        job()
        if device != "cpu":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return min(times[1:])


if __name__ == "__main__":
    main()
