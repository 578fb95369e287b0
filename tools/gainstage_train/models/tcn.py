"""The temporal convolutional network: Steinmetz & Reiss, "Efficient neural networks for real-time modeling of
analog dynamic range compression", AES 152nd Convention, 2022 (micro-TCN). Equations and names:
nodes/models/tcn/tcn_weights.hpp. Causal.

Inside, sound is [channels, time, batch], and a tap of a convolution one matrix product over a stretch of
it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from gainstage_files.model_file import Control
from .model import TRANSCENDENTAL, array, linear_tensors, mlp, mlp_tensors
from .norm import EPSILON, Norm, NormedModel, folded
from .shaping import shaped


class Taps(torch.autograd.Function):
    """y[c, t] = sum_i,j w[c, i, j] x[i, t + j dilation], x being longer than y by (k - 1) dilation."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, w: torch.Tensor, dilation: int) -> Any:
        ctx.save_for_backward(x, w)
        ctx.dilation = dilation
        inputs, length, lanes = x.shape
        steps = length - (w.shape[2] - 1) * dilation
        rows, y = x.reshape(inputs, -1), x.new_zeros(len(w), steps * lanes)
        for j in range(w.shape[2]):
            first = j * dilation * lanes
            y.addmm_(w[:, :, j].contiguous(), rows[:, first : first + steps * lanes])
        return y.view(len(w), steps, lanes)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        x, w = ctx.saved_tensors
        inputs, length, lanes = x.shape
        grad = grad.reshape(len(w), -1)
        size = grad.shape[1]
        rows, dx, dw = x.reshape(inputs, -1), x.new_zeros(inputs, length * lanes), torch.empty_like(w)
        for j in range(w.shape[2]):
            first = j * ctx.dilation * lanes
            dw[:, :, j] = grad @ rows[:, first : first + size].T
            if ctx.needs_input_grad[0]:
                dx[:, first : first + size].addmm_(w[:, :, j].T.contiguous(), grad)
        return dx.view(x.shape), dw, None


class Block(torch.nn.Module):
    """dilated convolution -> norm and FiLM -> PReLU, plus a share of the block's input for each channel,
    `delay` samples late"""

    def __init__(self, inputs: int, channels: int, taps: int, dilation: int, width: int, delay: int) -> None:
        super().__init__()
        self.dilation, self.delay, self.history = dilation, delay, max((taps - 1) * dilation, delay)
        self.span = (taps - 1) * dilation
        self.weight = torch.nn.Parameter(torch.randn(channels, inputs, taps) / (inputs * taps) ** 0.5)
        self.norm, self.film = Norm(channels), torch.nn.Linear(width, 2 * channels)
        self.slope = torch.nn.Parameter(torch.full((channels,), 0.25))
        self.residual = torch.nn.Parameter(torch.ones(channels))
        with torch.no_grad():
            self.film.weight *= 0.2
            self.film.bias.copy_(torch.cat([torch.full((channels,), 0.2), torch.zeros(channels)]))

    def forward(self, x: torch.Tensor, z: torch.Tensor, past: torch.Tensor) -> Any:
        steps, lanes = x.shape[1:]
        if past is None:
            past = x.new_zeros(len(x), self.history, lanes)
        x = torch.cat([past, x], dim=1)
        a = Taps.apply(x[:, self.history - self.span :], self.weight, self.dilation)
        late = x[:, self.history - self.delay : self.history - self.delay + steps]
        if len(late) < len(a):
            late = late.expand(a.shape)
        gain, offset = folded(self.norm, a, *self.film(z).chunk(2, dim=1))
        return shaped(a, gain, offset, self.slope, self.residual, late), x[:, x.shape[1] - self.history :]

    def tensors(self) -> dict[str, np.ndarray]:
        return {
            "conv.weight": array(self.weight),
            **self.norm.tensors(),
            **linear_tensors("film", self.film),
            "slope": array(self.slope),
            "residual.weight": array(self.residual)[:, None],
        }


class Tcn(NormedModel):
    """blocks, kernel (taps), growth (of the dilation), channels; final_tanh: "none" | "tanh" (published);
    residual_delay: 1 as the published causal networks were trained, each block's residual path a sample late,
    or 0; conditioning: widths.
    """

    architecture = name = "tcn"
    recipe = {
        "segment_samples": 65536,
        "batch": 16,
        "warm_samples": 16384,
        "tbptt_samples": 8192,
        "rate": 5e-3,
        "loss": "esr",
        "average_steps": 200,
    }

    def __init__(
        self,
        controls: list[Control],
        sample_rate: float,
        blocks: int = 4,
        kernel: int = 13,
        growth: int = 10,
        channels: int = 16,
        final_tanh: str = "none",
        residual_delay: int = 0,
        conditioning: Sequence[int] = (16, 32, 32),
    ) -> None:
        super().__init__(controls, sample_rate)
        self.growth, self.final_tanh, self.delay, self.kernel = (
            growth,
            final_tanh,
            int(residual_delay),
            kernel,
        )
        self.conditioner = mlp((len(controls), *conditioning), torch.nn.ReLU, last_too=True)
        self.blocks = torch.nn.ModuleList(
            [
                Block(channels if n else 1, channels, kernel, growth**n, conditioning[-1], self.delay)
                for n in range(blocks)
            ]
        )
        self.out = torch.nn.Linear(channels, 1)
        self.receptive_field = 1 + sum(block.history for block in self.blocks)
        with torch.no_grad():
            self.start_near_the_input(channels)

    def start_near_the_input(self, channels: int) -> None:
        """The residual paths together say the input."""
        first = torch.randn(channels)
        self.blocks[0].residual.copy_(first)
        self.out.weight.copy_(first / first.square().sum())
        self.out.bias.zero_()

    @property
    def last(self) -> torch.Tensor:
        return self.out

    def piece(self, x: torch.Tensor, knobs: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        y, states = self.through(x.T.contiguous()[None], knobs, state)
        return (torch.tanh(y) if self.final_tanh == "tanh" else y).T, states

    # -------------------------------------------------------------------------------- file

    def config(self) -> dict[str, Any]:
        return {
            "dilation_growth": self.growth,
            "final_tanh": self.final_tanh,
            "causal": True,
            "residual_delay": self.delay,
            "norm_epsilon": EPSILON,
            "start": "zeros",
        }

    def tensors(self) -> dict[str, np.ndarray]:
        return {
            **mlp_tensors("conditioning", self.conditioner),
            **self.block_tensors(),
            **linear_tensors("output", self.out),
        }

    def seconds_to_forget(self) -> float:
        return self.receptive_field / self.sample_rate

    def operations(self) -> float:
        channels = len(self.blocks[0].slope)
        count = 2.0 * channels + (TRANSCENDENTAL if self.final_tanh == "tanh" else 0.0)
        return count + sum(2.0 * block.weight.numel() + 6.0 * channels for block in self.blocks)

    def describe(self) -> str:
        channels = len(self.blocks[0].slope)
        return (
            f"TCN: {len(self.blocks)} blocks of {channels} channels, {self.kernel} taps, dilation growing by {self.growth}: hears "
            f"{1000.0 * self.receptive_field / self.sample_rate:.0f} ms, final tanh: {self.final_tanh}"
        )
