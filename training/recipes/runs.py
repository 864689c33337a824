"""What every training run needs: a log, checkpoints that survive a kill, a learning-rate schedule, averaged weights."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file that is there whole or not at all, even if the process or the machine dies in between."""
    temporary = path.with_name(path.name + ".partial")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Writes `checkpoint.pt` (tensors and plain values only) by renaming a finished file."""
    temporary = folder / (CHECKPOINT + ".partial")
    torch.save(state, temporary)
    temporary.replace(folder / CHECKPOINT)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a checkpoint (a file, or the folder of a run) without unpickling code.

    Raises `FileNotFoundError` when there is none.
    """
    path = path / CHECKPOINT if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: train first, or name the run's folder")
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


class RunLog:
    """JSON lines, one per report, flushed as they come; a resumed run takes back what came after its checkpoint."""

    def __init__(self, folder: Path, resumed_at: int) -> None:
        self.path = folder / LOG
        kept = [line for line in read_log(folder) if line["step"] <= resumed_at]
        write_atomically(self.path, b"".join(json.dumps(line).encode() + b"\n" for line in kept))

    def write(self, **values: Any) -> None:
        """Appends one line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run's log; a line that a kill cut short is left out."""
    path = folder / LOG
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def cosine_rate(step: int, steps: int, warmup: int, final: float) -> float:
    """Factor of the learning rate at `step`: a linear rise over `warmup` steps, then half a cosine down to `final`."""
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, steps - warmup))
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress))


class WeightAverage:
    """Exponential moving average of a module's floating-point state (parameters and running statistics).

    Early on it averages over what there is: the decay rises to its value as (1 + n) / (10 + n).
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.state = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Moves the average towards the module's present state."""
        self.updates += 1
        weight = 1 - min(self.decay, self.updates / (9 + self.updates))
        state = module.state_dict()
        floating = [name for name, tensor in state.items() if tensor.is_floating_point()]
        ours: list[Tensor] = [self.state[name] for name in floating]
        torch._foreach_lerp_(ours, [state[name].detach() for name in floating], weight)
        for name, tensor in state.items():
            if not tensor.is_floating_point():
                self.state[name].copy_(tensor)


def save_state(
    folder: Path,
    recipe: str,
    config: dict[str, Any],
    data: str,
    step: int,
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: WeightAverage | None,
    **more: Any,
) -> None:
    """Writes the checkpoint of a run at `step`; `data` identifies what it learns from, `more` are the recipe's own."""
    state: dict[str, Any] = {
        "schema": 1,
        "recipe": recipe,
        "config": json.dumps(config),
        "data": data,
        "step": step,
        "model": module.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": {} if average is None else average.state,
        "average_updates": 0 if average is None else average.updates,
        "generator": torch.get_rng_state(),
        **more,
    }
    save_checkpoint(folder, state)


def restore(
    state: dict[str, Any], module: nn.Module, optimiser: torch.optim.Optimizer, average: WeightAverage | None
) -> int:
    """Takes over what `save_state` wrote, torch's generator too; returns the step."""
    module.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    if average is not None:
        average.state, average.updates = state["average"], state["average_updates"]
    torch.set_rng_state(state["generator"])
    return int(state["step"])


def require_recipe(state: dict[str, Any], recipe: str, folder: Path | None = None) -> None:
    """Raises `ValueError` when the checkpoint is of another recipe."""
    if state.get("recipe") != recipe:
        where = f"{folder} holds" if folder else "the folder holds"
        raise ValueError(f"{where} a run of the recipe {state.get('recipe')}, not of {recipe}: choose another one")


_FREE = ("log_every", "checkpoint_every", "validate_every", "memory")


def require_same_run(state: dict[str, Any], recipe: str, config: Any, data: str, learned_from: str) -> None:
    """Raises `ValueError` when the checkpoint is of another recipe or configuration, or of other data.

    How often a run reports, and what it keeps in memory, may change. `learned_from` says what `data` identifies.
    """
    require_recipe(state, recipe)
    before = type(config).from_json(json.loads(state["config"]))
    free = {name: getattr(config, name) for name in _FREE if hasattr(config, name)}
    if replace(before, **free) != config:
        raise ValueError("this run was begun with another configuration or number of steps: resume it with the same")
    if state["data"] != data:
        raise ValueError(f"this run was begun on {learned_from}: resume it with the same, or begin a new run")


@contextmanager
def one_thread_less() -> Iterator[None]:
    """Leaves a core to what is prepared beside the training; the number of threads is as it was afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before - 1))
    try:
        yield
    finally:
        torch.set_num_threads(before)
