"""How much nearer to the true normals shading brings a face, on renders of known relief: the tables of docs/detail.md.

    python benchmarks/detail.py --data DIR [--model FILE] [--estimated] [--pictures DIR]
    python benchmarks/detail.py [--bundle DIR]

DIR is a folder that `likeness render-detail` has written, of people that the network was not trained on. Of each face
the product's detail is computed: a normal map of 1024 texels. It is put on the coarse geometry, the true one, or with
--estimated the one that the shipped bundle finds in the picture, and in every pixel of the face's skin the angle to the
true normal is compared with that of the coarse geometry alone. Without --data the sample photo tells what it costs.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SAMPLE = ROOT / "docs" / "samples" / "eileen_collins.jpg"
SIDE = 1024
LEAST_FACING = 0.2  # pixels more turned away than this cosine are not counted
TILTED = 5.0  # degrees: pixels where relief tilts the skin by more are told apart


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of rendered faces; without it only the costs are measured")
    parser.add_argument("--model", type=Path, help="the network (default: the one that ships)")
    parser.add_argument("--bundle", type=Path, help="default: the one that ships")
    parser.add_argument("--count", type=int, default=1000, help="how many faces at most")
    parser.add_argument("--estimated", action="store_true", help="coarse heads as the bundle estimates them")
    parser.add_argument("--pictures", type=Path, help="folder for a picture of each face: photo, true, coarse, refined")
    options = parser.parse_args()
    if options.data is None:
        costs(options.bundle)
        return 0
    from training.detail.faces import list_faces, read_face

    bench = Bench(options.bundle, options.model)
    rows = []
    for path in list_faces(options.data)[: options.count]:
        face = read_face(path)
        measured = bench.measure(face, options.estimated, options.pictures and options.pictures / f"{path.stem}.png")
        if measured is not None:
            rows.append((face.kind, *measured))
            print(f"{path.stem} {face.kind:7s}" + "".join(f" {value:7.3f}" for value in measured), file=sys.stderr)
    kinds = np.array([row[0] for row in rows])
    table = np.array([row[1:] for row in rows])
    print(f"{len(rows)} faces, {'estimated' if options.estimated else 'true'} coarse geometry, mean degrees\n")
    print(
        "| faces | | before | after | ratio | where tilted, before | after | ratio | with pores, before | after "
        "| before the map, before | after | ratio |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    relief = kinds != "smooth"
    for name, chosen in [("with relief", relief), ("smooth", ~relief)] + [
        (f"({kind})", kinds == kind) for kind in sorted(set(kinds[relief]))
    ]:
        if chosen.any():
            before, after, tilted, untilted, pored, unpored, unseen, seen = np.nanmean(table[chosen], 0)
            print(
                f"| {name} | {chosen.sum()} | {before:.3f} | {after:.3f} | {after / before:.3f} | {tilted:.2f} | "
                f"{untilted:.2f} | {untilted / tilted:.3f} | {pored:.3f} | {unpored:.3f} | {unseen:.3f} | {seen:.3f} | "
                f"{seen / unseen:.3f} |"
            )
    return 0


class Bench:
    """The product's parts, on a bundle's head."""

    def __init__(self, bundle: Path | None, model: Path | None) -> None:
        from backend.bundle import open_bundle
        from backend.detail import MODEL, Detail
        from backend.skin import Skin

        self.folder = bundle
        self.bundle = open_bundle(bundle)
        self.skin, self.detail = Skin.of(self.bundle), Detail.of(self.bundle, model or MODEL)
        arrays = self.bundle.arrays
        regions = dict(zip(self.bundle.description["region_names"], arrays["regions"], strict=True))
        self.face = regions["face"]
        self.quads, self.uv = arrays["quads"], arrays["uv"]
        self.material = arrays["material"]

    def measure(self, face: Any, estimated: bool, picture: Path | None) -> tuple[float, ...] | None:
        """Mean degrees before and after: over the skin, where relief tilts it, to normals with pores, and of what the
        network says of the closeup, before it is put into a map.
        """
        from backend.pose import Pose
        from backend.skin import Portrait

        image = Image.fromarray(face.image())
        if estimated:
            found = self._estimated(image)
            if found is None:
                return None
            pose, landmarks, head, reflectance = found
        else:
            pose = Pose(face.rotation, face.translation, face.focal, 0.0)
            seen = face.vertices @ face.rotation.T + face.translation
            landmarks = (face.focal * seen[:, :2] / seen[:, 2:] + face.size / 2)[self.bundle.landmarks68]
            head, reflectance = face.vertices, None
        portrait = Portrait(image, 1, pose, landmarks, head)
        view, shift = self.skin.sight(portrait)
        atlas, made = self.skin.texture(portrait, reflectance, SIDE)
        trust = atlas.image(made.trust[:, None])[..., 0]
        detail = self.detail.detail(view, head, self.skin.model(reflectance), shift, trust, SIDE)
        if detail is None:
            return None
        coarse, refined, shown = self.normals(view, head, shift, detail.normals)
        truth, pores = face.placed(face.normals), face.placed(face.with_pores)
        rays = np.ones((*shown.shape, 3))
        rows, columns = np.mgrid[0 : face.size, 0 : face.size] + 0.5
        rays[..., 0], rays[..., 1] = (columns - face.size / 2) / face.focal, (rows - face.size / 2) / face.focal
        rays /= np.linalg.norm(rays, axis=2, keepdims=True)
        counted = shown & (face.placed(face.seg) == 1) & (-(truth * rays).sum(2) > LEAST_FACING)
        if counted.sum() < 1000:
            return None
        before, after = angles(coarse, truth), angles(refined, truth)
        pored, unpored = angles(coarse, pores), angles(refined, pores)
        tilted = counted & (before > TILTED) if not estimated else np.zeros_like(counted)
        if picture is not None:
            picture.parent.mkdir(parents=True, exist_ok=True)
            draw(face, truth, coarse, refined, counted).save(picture)
        means = [float(values[counted].mean()) for values in (before, after)]
        steep = [float(values[tilted].mean()) if tilted.any() else np.nan for values in (before, after)]
        close = self._close(face, view, head, self.skin.model(reflectance), shift)
        return (*means, *steep, float(pored[counted].mean()), float(unpored[counted].mean()), *close)

    def _close(self, face: Any, view: Any, head: NDArray[Any], model: NDArray[Any], shift: NDArray[Any]) -> list[float]:
        from backend.closeup import look_closely
        from training.detail.examples import truth

        look = look_closely(view, head, self.bundle.triangles, model, self.detail.wanted, shift)
        tilted = look.normals - look.tilt(self.detail.heights(look))
        tilted /= np.linalg.norm(tilted, axis=2, keepdims=True)
        true, skin = truth(face, look)
        counted = skin & look.present & (-look.normals[..., 2] > LEAST_FACING)
        return [float(angles(normals, true)[counted].mean()) for normals in (look.normals, tilted)]

    def normals(
        self, view: Any, head: NDArray[Any], shift: NDArray[Any], maps: NDArray[np.float32]
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
        """Normals in camera axes at the photo's pixels, of the coarse head and with the map on it, and where it is."""
        from backend.raster import NOTHING, rasterise, vertex_normals

        normals = vertex_normals(head, self.bundle.triangles)
        tangents = self.detail.tangents(head, normals)
        place = view.project(head)
        place[:, :2] += shift
        # Corners and not vertices, since these have a place in the UV.
        corners = self.quads.ravel()
        values = np.concatenate([normals[corners], tangents[corners], self.uv.reshape(-1, 2)], 1)
        halves = (4 * np.arange(len(self.quads))[:, None, None] + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)
        raster = rasterise(place[corners], halves, view.picture.shape[1::-1])
        drawn = raster.interpolate(halves, values)
        inside = (self.material == 0) & self.face[self.quads].all(1)
        shown = (raster.triangle != NOTHING) & inside[raster.triangle // 2]
        normal, along = (drawn[..., k : k + 3] for k in (0, 3))
        normal = normal / np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-9)
        along = along / np.maximum(np.linalg.norm(along, axis=2, keepdims=True), 1e-9)
        at = drawn[..., 6:8] * (SIDE, -SIDE) + (0, SIDE)
        from backend.detail import sampled

        told = sampled(maps, at.reshape(-1, 2)).reshape(*shown.shape, 3)
        refined = told[..., :1] * along + told[..., 1:2] * np.cross(normal, along) + told[..., 2:] * normal
        refined /= np.maximum(np.linalg.norm(refined, axis=2, keepdims=True), 1e-9)
        return normal @ view.rotation.T, refined @ view.rotation.T, shown

    def _estimated(self, image: Image.Image) -> tuple[Any, ...] | None:
        from backend.failures import Failure
        from backend.pipeline import Reconstructor
        from backend.pose import Pose

        self.reconstructor = getattr(self, "reconstructor", None) or Reconstructor.open(self.folder)
        with io.BytesIO() as file:
            image.save(file, "PNG")
            content = file.getvalue()
        try:
            answer = self.reconstructor.reconstruct(content)
        except Failure:
            return None
        if answer.rotation is None or answer.focal is None:
            return None
        pose = Pose(answer.rotation, answer.translation, answer.focal, 0.0)
        head = self.bundle.vertices(answer.identity, answer.expression)
        return pose, answer.landmarks68_2d, head, answer.reflectance


def angles(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """Degrees between unit vectors (..., 3); by their distance, since the cosine does not tell small angles."""
    return np.degrees(2.0 * np.arcsin(np.clip(0.5 * np.linalg.norm(one - other, axis=-1), 0.0, 1.0)))


def draw(
    face: Any, truth: NDArray[Any], coarse: NDArray[Any], refined: NDArray[Any], counted: NDArray[np.bool_]
) -> Image.Image:
    """The photo, and the true, coarse and refined normals under a lamp from the upper left."""
    lamp = np.array([-0.5, -0.55, -0.67])
    shaded = [
        np.where(counted, 255.0 * np.clip(normal @ lamp, 0.0, 1.0), 40.0).astype(np.uint8)[..., None].repeat(3, 2)
        for normal in (truth, coarse, refined)
    ]
    rows, columns = np.flatnonzero(counted.any(1)), np.flatnonzero(counted.any(0))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Image.fromarray(np.concatenate([view[part] for view in (face.image(), *shaded)], 1))


def costs(bundle: Path | None) -> None:
    """Print what detail of the sample photo costs beside its texture."""
    from backend.pipeline import Reconstructor

    content = SAMPLE.read_bytes()
    reconstructor = Reconstructor.open(bundle)
    print("| | the first, s | later ones, s | of these processor time |\n|---|---|---|---|")
    for texture in (1024, 2048):
        spent, used = [], []
        for _ in range(5):
            started = time.process_time()
            answer = reconstructor.reconstruct(content, texture=texture, detail=True)
            used.append(time.process_time() - started)
            spent.append([answer.seconds["texture"], answer.seconds["detail"]])
        later = np.median(spent[1:], 0)
        print(f"| texture of {texture} | {spent[0][0]:.2f} | {later[0]:.2f} | |")
        print(f"| detail | {spent[0][1]:.2f} | {later[1]:.2f} | |")
        print(f"| together | {sum(spent[0]):.2f} | {sum(later):.2f} | {np.median(used[1:]):.2f} with all stages |")


if __name__ == "__main__":
    sys.exit(main())
