"""The S4D compressor: Yin, "Modeling analog dynamic range compressors using deep learning and state-space
models", thesis 2023; Yin, Cheng, Volgenau, arXiv 2403.16331. Equations and names:
nodes/models/s4d/s4d_weights.hpp.

Inside, sound is [channels, time, batch]: a dense layer over the channels is one matrix product."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from gainstage_files.model_file import Control
from gainstage_import import s4d as importer
from . import scans
from .model import TRANSCENDENTAL, array, linear_tensors, mlp, mlp_tensors
from .norm import Norm, NormedModel, folded
from .shaping import leaky, shaped

ACTIVATIONS = ("PReLU", "ReLU", "GELU", "tanh", "PTanh", "sigmoid", "Identity")


class Activation(torch.nn.Module):
    """By the names of nodes/layers/activations.hpp."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        if kind in ("PReLU", "PTanh"):
            self.factor = torch.nn.Parameter(torch.tensor([0.25 if kind == "PReLU" else 1.0]))

    def forward(self, x: torch.Tensor) -> Any:
        if self.kind == "PReLU":
            return leaky(x, self.factor)
        if self.kind == "PTanh":
            return self.factor * torch.tanh(x)
        return {
            "Identity": lambda: x,
            "ReLU": lambda: torch.relu(x),
            "GELU": lambda: torch.nn.functional.gelu(x),
            "tanh": lambda: torch.tanh(x),
            "sigmoid": lambda: torch.sigmoid(x),
        }[self.kind]()

    def tensors(self, name: torch.Tensor) -> dict[str, np.ndarray]:
        return {name + ".factor": array(self.factor)} if hasattr(self, "factor") else {}

    def operations(self) -> float:
        if self.kind == "Identity":
            return 0.0
        return 2.0 if self.kind in ("PReLU", "ReLU") else TRANSCENDENTAL + 1.0


class Ssm(torch.nn.Module):
    """One diagonal state-space model for each channel, held for a sample (zoh). The steps dt span `dt` evenly
    in their logarithms, so that the slowest real part, exp(-dt / 2) a sample, forgets over 2 / dt samples."""

    def __init__(self, channels: int, modes: int, dt: tuple[float, float]) -> None:
        super().__init__()
        low, high = map(math.log, dt)
        self.log_dt = torch.nn.Parameter(low + (high - low) * torch.rand(channels, 1))
        self.log_a_real = torch.nn.Parameter(torch.full((channels, modes), math.log(0.5)))
        self.a_imag = torch.nn.Parameter(
            math.pi * torch.arange(modes).float().expand(channels, modes).clone()
        )
        self.c = torch.nn.Parameter(torch.randn(channels, modes, 2) * 0.5**0.5)
        self.d = torch.nn.Parameter(torch.randn(channels))

    def poles(self) -> torch.Tensor:
        """-> pole, weight C B [channels, modes, 2], 64-bit"""
        z_re = -torch.exp(self.log_dt.double()) * torch.exp(self.log_a_real.double())
        z_im = torch.exp(self.log_dt.double()) * self.a_imag.double()
        a = torch.complex(-torch.exp(self.log_a_real.double()), self.a_imag.double())
        # exp(z) - 1 without loss where z is small
        half = torch.exp(0.5 * z_re)
        less_one = torch.complex(
            torch.expm1(z_re) * torch.cos(z_im) - 2.0 * torch.sin(0.5 * z_im) ** 2,
            half * half * torch.sin(z_im),
        )
        weight = torch.view_as_complex(self.c.double()) * less_one / a
        return torch.view_as_real(1.0 + less_one), torch.view_as_real(weight)

    def forward(self, u: torch.Tensor, state: Any) -> Any:
        pole, weight = self.poles()
        return scans.diagonal(u, pole, weight, self.d.double(), state)

    def tensors(self) -> dict[str, np.ndarray]:
        return {
            "ssm." + name: array(getattr(self, name)) for name in ("log_dt", "log_a_real", "a_imag", "c", "d")
        }


class Block(torch.nn.Module):
    """linear -> activation -> state space -> norm and FiLM -> activation, plus a share of the block's
    input"""

    def __init__(
        self, channels: int, modes: int, dt: tuple[float, float], width: int, activation: str
    ) -> None:
        super().__init__()
        self.linear, self.film = torch.nn.Linear(channels, channels), torch.nn.Linear(width, 2 * channels)
        self.before, self.after = Activation(activation), Activation(activation)
        self.ssm, self.norm = Ssm(channels, modes, dt), Norm(channels)
        self.residual = torch.nn.Parameter(torch.ones(channels))
        with torch.no_grad():
            self.linear.bias.zero_()
            self.film.weight *= 0.3
            self.film.bias.copy_(torch.cat([torch.ones(channels), torch.zeros(channels)]))

    def forward(self, x: torch.Tensor, z: torch.Tensor, state: Any) -> Any:
        channels, steps, lanes = x.shape
        a = torch.addmm(self.linear.bias[:, None], self.linear.weight, x.reshape(channels, -1)).view(x.shape)
        s, state = self.ssm(self.before(a), state)
        gain, offset = folded(self.norm, s, *self.film(z).chunk(2, dim=1))
        if self.after.kind == "PReLU":
            return shaped(s, gain, offset, self.after.factor, self.residual, x), state
        y = self.after(torch.addcmul(offset[:, None], s, gain[:, None]))
        return torch.addcmul(y, self.residual[:, None, None], x), state

    def tensors(self) -> dict[str, np.ndarray]:
        return {
            **linear_tensors("linear", self.linear),
            **self.before.tensors("activation1"),
            **self.ssm.tensors(),
            **self.norm.tensors(),
            **linear_tensors("film", self.film),
            **self.after.tensors("activation2"),
            "residual": array(self.residual),
        }


class S4d(NormedModel):
    """channels, modes (complex ones of each), blocks; product: the output is a gain for the input; decibels:
    the network hears the input's level and says a gain, both in dB (the thesis's convert_to_decibels and
    convert_to_amplitude); final_tanh: "none" | "tanh"; activation: a name of ACTIVATIONS; dt: range of the
    steps at the start, in samples (the thesis: 1e-3 to 0.1, memory of 40 ms at the start; here up to 0.8 s);
    conditioning: widths of its network (the thesis: 16, 32, 32)."""

    architecture = name = "s4d"
    recipe = {
        "segment_samples": 144000,
        "batch": 16,
        "warm_samples": 48000,
        "tbptt_samples": 2048,
        "rate": 5e-3,
        "loss": "esr",
    }

    QUIETEST, MIDDLE_DB, SPAN_DB = 1e-4, -30.0, 15.0  # of a level: the least, and what is usual

    def __init__(
        self,
        controls: list[Control],
        sample_rate: float,
        channels: int = 16,
        modes: int = 4,
        blocks: int = 4,
        product: bool = True,
        decibels: bool = False,
        final_tanh: str = "none",
        activation: str = "PReLU",
        dt: tuple[float, float] = (5e-5, 0.1),
        conditioning: Sequence[int] = (16, 32, 32),
    ) -> None:
        super().__init__(controls, sample_rate)
        if decibels and not product:
            raise ValueError("decibels are those of a gain, so there must be a product")
        self.product, self.decibels, self.final_tanh, self.activation = (
            product,
            decibels,
            final_tanh,
            activation,
        )
        width = conditioning[-1]
        self.conditioner = mlp((len(controls), *conditioning), torch.nn.ReLU, last_too=True)
        self.expand, self.contract = torch.nn.Linear(1, channels), torch.nn.Linear(channels, 1)
        self.blocks = torch.nn.ModuleList(
            [Block(channels, modes, dt, width, activation) for _ in range(blocks)]
        )
        with torch.no_grad():
            self.expand.bias.zero_()
            if decibels:
                self.expand.weight /= self.SPAN_DB
                self.expand.bias.copy_(-self.MIDDLE_DB * self.expand.weight[:, 0])
            self.contract.weight *= 0.5 if decibels or not product else 0.1
            self.contract.bias.fill_(1.0 if product and not decibels else 0.0)

    @property
    def last(self) -> torch.Tensor:
        return self.contract

    def piece(self, x: torch.Tensor, knobs: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        sound = x.T.contiguous()
        heard = 20.0 * torch.log10(sound.abs().clamp_min(self.QUIETEST)) if self.decibels else sound
        y, states = self.through(
            self.expand.weight[:, :, None] * heard + self.expand.bias[:, None, None], knobs, state
        )
        y = torch.exp(y * (math.log(10.0) / 20.0)) if self.decibels else y
        y = y * sound if self.product else y
        return (torch.tanh(y) if self.final_tanh == "tanh" else y).T, states

    def start_at_gain(self, gain: float) -> None:
        if self.decibels:
            self.contract.bias += 20.0 * math.log10(max(gain, self.QUIETEST))
        else:
            super().start_at_gain(gain)

    # -------------------------------------------------------------------------------- file

    def config(self) -> dict[str, Any]:
        return {
            "activation1": self.activation,
            "activation2": self.activation,
            "discretisation": "zoh",
            "product": self.product,
            "final_tanh": self.final_tanh,
            "tanh_before_product": "none",
            "front_decibels": self.decibels,
            "to_amplitude": self.decibels,
        }

    def tensors(self) -> dict[str, np.ndarray]:
        return {
            **mlp_tensors("conditioning", self.conditioner),
            **linear_tensors("expand", self.expand),
            **self.block_tensors(),
            **linear_tensors("contract", self.contract),
        }

    def seconds_to_forget(self) -> float:
        return float(
            np.float64(importer.seconds_to_forget(self.tensors(), len(self.blocks), "zoh", self.sample_rate))
        )

    def operations(self) -> float:
        channels, modes = self.blocks[0].ssm.a_imag.shape
        block = 2.0 * channels * channels + channels * (12.0 * modes + 2.0) + 2.0 * channels
        block += (
            channels * (self.blocks[0].before.operations() + self.blocks[0].after.operations())
            + 2.0 * channels
        )
        squash = TRANSCENDENTAL if self.final_tanh == "tanh" else 0.0
        squash += 2.0 * TRANSCENDENTAL if self.decibels else 0.0
        return 4.0 * channels + len(self.blocks) * block + squash + (1.0 if self.product else 0.0)

    def describe(self) -> str:
        channels, modes = self.blocks[0].ssm.a_imag.shape
        return (
            f"S4D: {len(self.blocks)} blocks of {channels} channels with {modes} modes, {self.activation}, "
            f"{'product' if self.product else 'no product'}{' in decibels' if self.decibels else ''}, final tanh: {self.final_tanh}"
        )

    def groups(self, rate: float) -> list[dict[str, Any]]:
        """What sets the poles is slower."""
        slow = [
            p for block in self.blocks for p in (block.ssm.log_dt, block.ssm.log_a_real, block.ssm.a_imag)
        ]
        chosen = {id(p) for p in slow}
        return [
            {"params": [p for p in self.parameters() if id(p) not in chosen], "lr": rate},
            {"params": slow, "lr": 0.3 * rate},
        ]
