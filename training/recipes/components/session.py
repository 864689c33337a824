"""A training run of several stages that can be stopped at any moment and goes on where it was."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.progress import Progress
from training.recipes.components.config import ComponentsConfig, StageConfig
from training.recipes.runs import RunLog, cosine_rate, load_checkpoint, save_checkpoint

_WARMUP, _FINAL = 0.05, 0.01
_CLIP = 10.0


class Session:
    """Modules by name, trained stage after stage; with a folder, checkpoints and a log lie there.

    Raises `ValueError` when the folder's run was begun with another configuration or on other data.
    """

    def __init__(
        self,
        config: ComponentsConfig,
        modules: dict[str, nn.Module],
        data_id: str,
        folder: Path | None,
        resume: bool,
        progress: bool,
    ) -> None:
        self.config, self.modules, self.data_id, self.folder = config, modules, data_id, folder
        self.progress = progress
        self.done: list[str] = []
        self._waiting: dict[str, Any] | None = None
        state = load_checkpoint(folder) if folder is not None and resume else None
        if state is not None:
            if json.loads(state["config"]) != json.loads(json.dumps(config.to_json())):
                raise ValueError("this run was begun with another configuration: resume it with the same")
            if state["data"] != data_id:
                raise ValueError("this run was begun on other data: resume it with the same, or begin a new run")
            self.done = list(state["done"])
            self._waiting = state["stage"] or None
            for name, module in modules.items():
                module.load_state_dict(state["modules"][name])
        self.log = RunLog(folder, state["steps"] if state is not None else 0) if folder is not None else None
        self.steps = int(state["steps"]) if state is not None else 0

    def stage(
        self,
        name: str,
        stage: StageConfig,
        trained: Iterable[str],
        loss: Callable[[NDArray[np.int64]], Tensor],
        pool: int,
        score: Callable[[], float] | None = None,
    ) -> None:
        """Trains the modules named in `trained` for a stage, unless an earlier session has finished it.

        loss gets the members (B,) of a batch, out of `pool` many, which each epoch goes through in another order.
        Where there is a `score`, lower being better, the best of its states is what remains, that before the stage
        included. Raises `FloatingPointError` when the loss is no longer finite.
        """
        if name in self.done:
            return
        names = tuple(trained)
        torch.manual_seed(self.config.seed * 1000 + len(self.done))
        parameters = [p for key in names for p in self.modules[key].parameters()]
        decayed = [p for p in parameters if p.ndim > 1]
        groups = [
            {"params": decayed, "weight_decay": stage.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, lr=stage.rate, fused=True)
        step, best, best_state = 0, np.inf, None
        if self.waits_in(name):
            waiting, self._waiting = self._waiting or {}, None
            optimiser.load_state_dict(waiting["optimiser"])
            torch.set_rng_state(waiting["generator"])
            step, best, best_state = waiting["step"], waiting["best"], waiting["best_state"] or None
        elif score is not None:
            best, best_state = self._score(score), self._state(names)
        with Progress(f"{self.config.name} {name}", stage.steps, step, "batch", self.progress) as bar:
            while step < stage.steps:
                rate = stage.rate * cosine_rate(step, stage.steps, max(1, int(_WARMUP * stage.steps)), _FINAL)
                for group in optimiser.param_groups:
                    group["lr"] = rate
                for key in names:
                    self.modules[key].train()
                value = loss(draw(pool, stage.batch_size, step, [self.config.seed, 5, len(self.done)]))
                optimiser.zero_grad(set_to_none=True)
                value.backward()
                nn.utils.clip_grad_norm_(parameters, _CLIP)
                optimiser.step()
                step += 1
                self.steps += 1
                bar.advance()
                last = step == stage.steps
                if step % self.config.validate_every == 0 or last:
                    if not np.isfinite(float(value.detach())):
                        raise FloatingPointError(f"the loss is no longer finite at step {step}: lower {name}.rate")
                    found = self._score(score) if score is not None else None
                    if found is not None and found < best:
                        best, best_state = found, self._state(names)
                    bar.advance(0, f"loss {float(value.detach()):.4f}" + (f" best {best:.4f}" if score else ""))
                    if self.log is not None:
                        self.log.write(step=self.steps, stage=name, loss=float(value.detach()), score=found)
                if step % self.config.checkpoint_every == 0 and not last:
                    position = {"name": name, "step": step, "best": float(best), "best_state": best_state or {}}
                    self._save({**position, "optimiser": optimiser.state_dict(), "generator": torch.get_rng_state()})
        if best_state is not None:
            for key in names:
                self.modules[key].load_state_dict(best_state[key])
        self.finish(name)

    def waits_in(self, name: str) -> bool:
        """Whether an earlier session stopped in the middle of this stage."""
        return self._waiting is not None and self._waiting["name"] == name

    def finish(self, name: str) -> None:
        """Notes that a stage is done (those solved in closed form need no more)."""
        for module in self.modules.values():
            module.eval()
        if name not in self.done:
            self.done.append(name)
            self._save({})

    def _score(self, score: Callable[[], float]) -> float:
        for module in self.modules.values():
            module.eval()
        with torch.no_grad():
            return score()

    def _state(self, names: tuple[str, ...]) -> dict[str, Any]:
        return {key: copy.deepcopy(self.modules[key].state_dict()) for key in names}

    def _save(self, stage: dict[str, Any]) -> None:
        if self.folder is None:
            return
        state = {
            "schema": 1,
            "recipe": "components",
            "config": json.dumps(self.config.to_json()),
            "data": self.data_id,
            "done": self.done,
            "stage": stage,
            "steps": self.steps,
            "modules": {name: module.state_dict() for name, module in self.modules.items()},
        }
        save_checkpoint(self.folder, state)


def draw(pool: int, count: int, step: int, seed: list[int]) -> NDArray[np.int64]:
    """Members (count,) of batch number `step`, out of `pool`, from (seed, step) alone; each turn in a new order."""
    drawn: list[NDArray[np.int64]] = []
    position = step * count
    while (left := count - sum(map(len, drawn))) > 0:
        turn, offset = divmod(position + count - left, pool)
        drawn.append(np.random.default_rng([*seed, turn]).permutation(pool)[offset : offset + left])
    return np.concatenate(drawn)
