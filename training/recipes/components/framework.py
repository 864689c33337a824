"""The three components together: encoder, mapping, decoder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from training.recipes.components.config import ComponentsConfig, MappingConfig
from training.recipes.components.decoders import make_decoder
from training.recipes.components.encoders import dense, make_encoder
from training.recipes.components.kernel import Kernel


class Scale(nn.Module):
    """(values - mean) / spread, or the way back; numbers measured once and kept with the weights."""

    def __init__(self, length: int, back: bool = False) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(length))
        self.register_buffer("spread", torch.ones(length))
        self.back = back

    @torch.no_grad()
    def measure(self, values: Tensor) -> None:
        """Takes mean and spread from values (n,k)."""
        spread = values.std(0) if len(values) > 1 else torch.zeros_like(values[0])
        self.mean.copy_(values.mean(0))
        # What hardly varies is not blown up to what varies most.
        self.spread.copy_(spread.clamp_min(1e-3 * float(spread.max()) + 1e-8))

    def forward(self, values: Tensor) -> Tensor:
        """Values (B,k) -> (B,k)."""
        return values * self.spread + self.mean if self.back else (values - self.mean) / self.spread


class Mapping(nn.Module):
    """Code of the picture (B,k) -> code of the shape (B,k'): Table 1's second row.

    Neurons and the linear mapping, which the least squares of eq. 8 give, stand between two standardisations, because
    the spreads of principal components differ a hundredfold.
    """

    def __init__(self, config: MappingConfig, inputs: int, outputs: int) -> None:
        super().__init__()
        self.before, self.after = Scale(inputs), Scale(outputs, back=True)
        alone = config.kind == "linear"
        self.linear = nn.Linear(inputs, outputs) if alone or config.skip else None
        self.neurons: nn.Sequential | None = None
        self.kernel = KernelMap(inputs, outputs, config.hidden[0]) if config.kind == "kernel" else None
        if config.kind == "feedforward":
            self.neurons = dense((inputs, *config.hidden, outputs), config.dropout)
        elif config.kind == "kernel" and config.beside:
            self.neurons = dense((inputs, *config.beside, outputs))
        elif config.kind == "convolutional":
            filters = config.hidden[0]
            self.neurons = nn.Sequential(
                nn.Unflatten(1, (1, inputs)), nn.Conv1d(1, filters, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2),
                nn.Flatten(), nn.Linear(filters * (inputs // 2), outputs),
            )  # fmt: skip

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (B,k) -> codes (B,k')."""
        scaled = self.before(codes)
        paths = [path(scaled) for path in (self.linear, self.neurons, self.kernel) if path is not None]
        return self.after(sum(paths[1:], paths[0]))

    @torch.no_grad()
    def start_from(self, weight: Tensor, bias: Tensor) -> None:
        """Sets the linear path, in standardised codes, and silences the neurons' last layer; without one, nothing."""
        if self.linear is None:
            return
        self.linear.weight.copy_(weight)
        self.linear.bias.copy_(bias)
        if self.neurons is not None:
            last = [layer for layer in self.neurons.modules() if isinstance(layer, nn.Linear)][-1]
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    @torch.no_grad()
    def measure_again(self, codes: Tensor) -> None:
        """Standardises by other codes (n,k), which training has moved; dense neurons answer as before."""
        mean, spread = self.before.mean.clone(), self.before.spread.clone()
        self.before.measure(codes)
        if self.neurons is not None:
            first = self.neurons[0]
            first.bias += first.weight @ ((self.before.mean - mean) / spread)
            first.weight *= self.before.spread / spread

    @torch.no_grad()
    def join_kernel(self, taught: bool) -> None:
        """Makes the sum of neurons and kernels their mean, or, where neurons were not taught, silences these."""
        if self.neurons is None or self.kernel is None:
            return
        last = self.neurons[-1]
        for layer, share in ((last, 0.5 if taught else 0.0), (self.kernel.answer, 0.5 if taught else 1.0)):
            layer.weight *= share
            layer.bias *= share


class KernelMap(nn.Module):
    """Gaussian kernels about `most` centres, those that are not needed with weights of zero."""

    def __init__(self, inputs: int, outputs: int, most: int) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.zeros(most, inputs))
        self.register_buffer("exponent", torch.ones(()))
        self.answer = nn.Linear(most, outputs)
        nn.init.zeros_(self.answer.weight)
        nn.init.zeros_(self.answer.bias)

    def forward(self, codes: Tensor) -> Tensor:
        """Standardised codes (B,k) -> (B,k')."""
        inner = codes @ self.centres.T
        apart = codes.square().sum(1, keepdim=True) + self.centres.square().sum(1) - 2 * inner
        return self.answer(torch.exp(-self.exponent * apart.clamp_min(0)))

    @torch.no_grad()
    def set(self, kernel: Kernel) -> None:
        """Takes what least squares found."""
        count = len(kernel.centres)
        self.centres[:count] = torch.from_numpy(kernel.centres).float()
        self.answer.weight[:, :count] = torch.from_numpy(kernel.weights.T.copy()).float()
        self.answer.bias.copy_(torch.from_numpy(kernel.mean))
        self.exponent.fill_(kernel.exponent)


class Framework(nn.Module):
    """Picture -> shape (Figure 1). Each part begins at the run's seed, whatever it is joined with."""

    def __init__(self, config: ComponentsConfig, length: int) -> None:
        super().__init__()
        with seeded(config.seed, 0):
            self.encoder = make_encoder(config.encoder, config.size)
        with seeded(config.seed, 1):
            self.mapping = Mapping(config.mapping, config.encoder.code, config.decoder.code)
        with seeded(config.seed, 2):
            self.decoder = make_decoder(config.decoder, config.kind, length)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B,1,S,S), 0..1 -> shapes (B,p)."""
        return self.decoder(self.mapping(self.encoder(images)))


@contextmanager
def seeded(seed: int, part: int) -> Iterator[None]:
    """Weights that are drawn within depend on the run's seed and on which part they are of, and on nothing else."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1000 * seed + part)
        yield


def rmse(estimate: Tensor, truth: Tensor) -> Tensor:
    """Eq. 12 over a mini batch: the root of the mean squared distance of shapes (B,p), here per number.

    The paper divides by the batch's size alone; the further root of p is a constant, and makes faces and volumes
    comparable with its tables.
    """
    return ((estimate - truth).square().mean() + 1e-12).sqrt()
