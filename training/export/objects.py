"""Writes a bundle for objects: a trained run of `components` as one ONNX network, and what it speaks of."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.export.bundle import commit
from training.export.folder import whole_bundle
from training.recipes.components.data import Pairs, Split
from training.recipes.components.decoders import fixed
from training.recipes.components.report.measure import answers, controls, figures
from training.recipes.components.run import Trained

SCHEMA = 1
METHOD = "components-objects"
NETWORK = "objects.onnx"
OPSET = 17
_CHECKED = 16
_TOLERANCE = 2e-2


@dataclass(frozen=True)
class ObjectsCard:
    """What the model card says beside the figures: where the shapes came from, and under which licences."""

    name: str
    shapes: str
    licences: tuple[dict[str, str], ...]
    commands: tuple[str, ...]


class OccupancyNetwork(nn.Module):
    """Grey picture (B,1,S,S), 0..1 on white -> occupancy (B,R,R,R), 0..1.

    Where the run was trained on mirrored pairs too, the answers to the picture and to its mirror image are averaged.
    """

    def __init__(self, trained: Trained) -> None:
        super().__init__()
        self.framework = fixed(trained.framework)
        self.mirror = trained.config.mirror
        self.resolution = trained.space.shape[0]

    def forward(self, image: Tensor) -> Tensor:
        """Pictures -> occupancies."""
        found = self._grid(image)
        if self.mirror:
            found = (found + self._grid(image.flip(3)).flip(1)) / 2
        return found.clamp(0, 1)

    def _grid(self, image: Tensor) -> Tensor:
        return self.framework(image).reshape(-1, *(self.resolution,) * 3)


def export_objects(trained: Trained, pairs: Pairs, split: Split, output: Path, card: ObjectsCard) -> dict[str, Any]:
    """Writes the folder `output`, replacing a bundle that is there; returns what stands in `bundle.json`.

    Weights are stored in half precision, the network answers in single. Raises `ValueError` when the run is of heads,
    when ONNX does not agree with PyTorch, or when the bundle is too large; `output` is then as it was.
    """
    if trained.config.kind != "objects":
        raise ValueError("this run of `components` is of heads; bundles for objects are made of objects")
    found = answers(trained, pairs, split)
    measured, compared = figures(trained, pairs, split, found), controls(pairs, split)
    with whole_bundle(output, "train a smaller decoder") as folder:
        network = OccupancyNetwork(trained).eval()
        write_network(network, trained.config.size, folder / NETWORK)
        pictures = found.pictures[np.linspace(0, len(found.pictures) - 1, _CHECKED).astype(int)]
        check_network(network, folder / NETWORK, pairs.pictures(pictures))
        content = (folder / NETWORK).read_bytes()
        description = {
            "schema": SCHEMA,
            "name": card.name,
            "method": METHOD,
            "recipe": "components",
            "commit": commit(),
            "resolution": network.resolution,
            "threshold": found.threshold,
            "classes": sorted({str(kind) for kind in pairs.kinds}),
            "regressor": {"file": NETWORK, "size": trained.config.size, "outputs": ["occupancy"]},
            "licences": list(card.licences),
            "files": {NETWORK: hashlib.sha256(content).hexdigest()},
        }
        (folder / "bundle.json").write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")
        (folder / "MODEL_CARD.md").write_text(_card(card, description, measured, compared), encoding="utf-8")
    return description


def write_network(network: OccupancyNetwork, size: int, path: Path) -> None:
    """Writes the network with a batch of any size; large weights in half precision, cast when it is loaded."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    with warnings.catch_warnings():
        # The exporter that needs no further package says that it is the old one.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        torch.onnx.export(
            network,
            (torch.zeros(2, 1, size, size),),
            str(path),
            input_names=["image"],
            output_names=["occupancy"],
            dynamic_axes={"image": {0: "batch"}, "occupancy": {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    graph = model.graph
    casts, kept = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < 1024:
            kept.append(tensor)
            continue
        kept.append(numpy_helper.from_array(values.astype(np.float16), tensor.name + "_half"))
        casts.append(helper.make_node("Cast", [tensor.name + "_half"], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend([*casts, *nodes])
    helper.set_model_props(model, {"method": METHOD, "size": str(size)})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def check_network(network: OccupancyNetwork, path: Path, images: Tensor) -> float:
    """Largest difference of occupancy between ONNX Runtime and PyTorch. Raises `ValueError` when it is above 0.02."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(["occupancy"], {"image": images.numpy()})
    with torch.no_grad():
        apart = float(np.abs(found - network(images).numpy()).max())
    if apart > _TOLERANCE:
        raise ValueError(f"ONNX and PyTorch differ by {apart:.2g} (at most {_TOLERANCE}); nothing was written")
    return apart


def _card(card: ObjectsCard, description: dict[str, Any], measured: dict[str, Any], compared: dict[str, Any]) -> str:
    rows = {"this model": measured, **compared}
    kinds = sorted(measured["iou by kind"])
    table = [f"| | all | {' | '.join(kinds)} |", "|---" * (len(kinds) + 2) + "|"]
    table += [
        f"| {name} | {row['iou']:.3f} | " + " | ".join(f"{row['iou by kind'][kind]:.3f}" for kind in kinds) + " |"
        for name, row in rows.items()
    ]
    licences = [f"- {one['source']} ({one['licence']}): {one['attribution']}, {one['url']}" for one in card.licences]
    return "\n".join(
        [
            f"# {card.name}",
            "",
            f"One picture of one object before a plain background -> occupancy of a {description['resolution']}^3 "
            f"grid (threshold {description['threshold']:g}). Kinds: {', '.join(description['classes'])}; of anything "
            "else it makes the nearest of these.",
            "",
            f"Shapes: {card.shapes}",
            "",
            "Voxel IoU on pictures of things whose shapes were not seen in training:",
            "",
            *table,
            "",
            '"Nearest shape" is the training shape most like the true one, which nobody can know.',
            "",
            "Made with:",
            "",
            "```sh",
            *card.commands,
            "```",
            "",
            "Licences:",
            "",
            *licences,
            "",
        ]
    )
