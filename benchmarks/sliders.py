"""What each named slider of a bundle changes, measured on people drawn anew: the report for docs/sliders.md.

    python benchmarks/sliders.py --population FILE[:WEIGHT] [--bundle DIR] [--people N] [--output docs/sliders.md]

The population files are those that the bundle was exported with. Every slider is moved from -2 to 2 on twelve people;
lengths and angles are measured on the meshes, age, masculinity and weight read by a regression on the new people alone.
The status is 1 where a slider changes another attribute more than a third as much as its own.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SEED = 20260  # another than the export's


def main() -> int:
    """Print or write the report."""
    from training.evaluation.named_sliders import LEAST_RATIO, as_table, measure, of_bundle
    from training.export.sliders import PEOPLE
    from training.populations.files import load_populations

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=ROOT / "backend" / "bundles" / "default", help="its folder")
    parser.add_argument("--population", action="append", required=True, metavar="FILE[:WEIGHT]", help="may be repeated")
    parser.add_argument("--people", type=int, default=PEOPLE, help="how many are drawn (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="file to write (default: standard output)")
    options = parser.parse_args()
    try:
        sliders, mean, columns = of_bundle(options.bundle)
        population = load_populations(options.population)
        found = measure(sliders, mean, columns, population, np.random.default_rng(SEED), options.people)
    except (OSError, ValueError) as error:
        print(f"benchmarks/sliders.py: {error}", file=sys.stderr)
        return 2
    name = json.loads((options.bundle / "bundle.json").read_text(encoding="utf-8"))["name"]
    worst = min(found, key=lambda one: one.ratio)
    names = " ".join(f"--population {Path(spec).name}" for spec in options.population)
    text = f"""# Named sliders, measured

The {len(found)} sliders of the bundle {name} over its {len(columns)} learned components, each moved from -2 to 2,
on people whom the sliders were not made from. Changes are in standard deviations of the attribute in the population, so
4 is what a slider is meant to change its own by. The least that one of them changes its own attribute is
{worst.ratio:.1f} times as much as any other ({worst.name}, against {worst.other_name}); at least {LEAST_RATIO:g} times
is asked of all of them. Written by

    python benchmarks/sliders.py {names} --people {options.people}

{as_table(found)}"""
    if options.output is None:
        print(text)
    else:
        options.output.write_text(text, encoding="utf-8")
    return 0 if worst.ratio >= LEAST_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
