"""BatchNorm without a gain and an offset of its own, as trained models keep it: a mean and a variance for
each channel. They are measured once, on the first long sound that is heard in training, and stay: statistics
of short pieces of music would be a gain that comes and goes, and slow channels show what they do only after a
while. What is trained is then what is played."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch

from .model import Model, array

EPSILON = 1e-5
# of the channels' mean variance: to raise a slow channel's faint sound to the others' would make its offset
# steep
LEAST = 0.3
LONG_S = 0.25  # what counts as a long sound, of which the second half is measured


class Norm(torch.nn.Module):
    """x [channels, ...]"""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.register_buffer("measured", torch.zeros((), dtype=torch.bool))
        self.sums: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """-> gain and offset [channels, 1] that normalise x"""
        if self.sums is not None:
            rows = x.flatten(1).double()
            self.sums += torch.stack(
                [rows.sum(1), rows.square().sum(1), torch.full_like(rows[:, 0], rows.shape[1])]
            )
        scale = torch.rsqrt(self.variance + EPSILON)
        return scale[:, None], (-self.mean * scale)[:, None]

    def listen(self) -> None:
        self.sums = torch.zeros((3, len(self.mean)), dtype=torch.float64, device=self.mean.device)

    def conclude(self) -> None:
        """Takes what was heard since listen()."""
        assert self.sums is not None
        total, squares, count = self.sums
        self.mean.copy_(total / count)
        variance = (squares / count - (total / count) ** 2).clamp_min(0.0)
        self.variance.copy_(variance.clamp_min(LEAST * float(variance.mean())))
        self.measured.fill_(True)
        self.sums = None

    def tensors(self) -> dict[str, np.ndarray]:
        return {"norm.mean": array(self.mean), "norm.variance": array(self.variance)}


def measure(norms: Iterable[Norm], play: Callable[..., Any], x: torch.Tensor, knobs: torch.Tensor) -> None:
    """In the order in which they follow one another, each on what the ones before it make of the sound. play:
    (x, knobs, state) -> (y, state)"""
    early, late = x.split([x.shape[1] // 2, x.shape[1] - x.shape[1] // 2], dim=1)
    for norm in norms:
        state = play(early, knobs, None)[1]
        norm.listen()
        play(late, knobs, state)
        norm.conclude()


def folded(
    norm: Norm, x: torch.Tensor, gain: torch.Tensor, offset: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """-> gain and offset [channels, batch] of what FiLM's [batch, channels] make of the normalised x
    [channels, time, batch]"""
    scale, shift = norm(x)
    return gain.T * scale, gain.T * shift + offset.T


class NormedModel(Model):
    """A model of `blocks`, each with a norm, called with (sound [channels, time, batch], conditioning,
    state), and of `last`, a dense layer that makes one sound of what they say."""

    def through(self, h: torch.Tensor, knobs: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        """-> sound [time, batch], the blocks' states"""
        z, states = self.conditioner(knobs), []
        for block, past in zip(self.blocks, state or [None] * len(self.blocks)):
            h, past = block(h, z, past)
            states.append(past)
        return (self.last.weight @ h.reshape(len(h), -1)).view(h.shape[1:]) + self.last.bias, tuple(states)

    def first_hears(self, x: torch.Tensor, knobs: torch.Tensor) -> None:
        norms = [block.norm for block in self.blocks]
        if not norms[-1].measured and x.shape[1] >= LONG_S * self.sample_rate:
            with torch.no_grad():
                measure(norms, self.in_pieces, x, knobs)

    def start_at_gain(self, gain: float) -> None:
        self.last.weight *= gain
        self.last.bias *= gain

    def block_tensors(self) -> dict[str, np.ndarray]:
        return {
            f"blocks.{n}.{name}": value
            for n, block in enumerate(self.blocks)
            for name, value in block.tensors().items()
        }
