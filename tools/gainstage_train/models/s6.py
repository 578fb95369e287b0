"""The S6 compressor: Simionato & Fasciani, "Modeling Time-Variant Responses of Optical Compressors with
Selective State Space Models", JAES 73(3), 2025 (arXiv 2408.12549), with states that go on from sample to
sample (config.meaning "recurrent"). Equations and names: nodes/models/s6/s6_weights.hpp,
nodes/layers/selective_ssm.hpp.

Inside, sound is [channels, time, batch]."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from gainstage_files.model_file import Control
from . import forgetting, scans, shaping
from .cells import Cell, cell_operations, decades
from .model import TRANSCENDENTAL, Model, array, linear_tensors

silu = torch.nn.functional.silu


def dense(layer: torch.nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """Over the channels of x [channels, ...]."""
    return torch.addmm(layer.bias[:, None], layer.weight, x.reshape(len(x), -1)).view(
        len(layer.bias), *x.shape[1:]
    )


def last_windows(
    x: torch.Tensor, past: torch.Tensor, kernel: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Products of rows of `kernel` [rows, window] with the last samples. x [time, batch] -> ([rows, time,
    batch], past)"""
    sound = torch.cat([past, x])
    rows = torch.nn.functional.conv1d(sound.T[:, None], kernel[:, None])
    return rows.permute(1, 2, 0).contiguous(), sound[len(sound) - len(past) :]


class Ssm(torch.nn.Module):
    """The selective layer of Mamba. `delta`: range of its steps at the start; a state of pace 1 forgets over
    1 / delta samples."""

    def __init__(
        self, inputs: int, outputs: int, inner: int, states: int, rank: int, taps: int, delta: torch.Tensor
    ) -> None:
        super().__init__()
        self.inner, self.states, self.rank, self.taps = inner, states, rank, taps
        self.input = torch.nn.Parameter(torch.randn(2 * inner, inputs) / inputs**0.5)
        self.conv = torch.nn.Parameter(torch.randn(inner, taps) / taps**0.5)
        self.conv_bias = torch.nn.Parameter(
            torch.randn(inner)
        )  # what is selected by: B and C have no bias of their own
        self.x = torch.nn.Parameter(torch.randn(rank + 2 * states, inner) / inner**0.5)
        self.dt, self.out = torch.nn.Linear(rank, inner), torch.nn.Linear(inner, outputs)
        self.a_log = torch.nn.Parameter(
            torch.log(torch.arange(1, states + 1).float()).expand(inner, states).clone()
        )
        self.skip = torch.nn.Parameter(torch.ones(inner))
        steps = torch.exp(torch.linspace(math.log(delta[0]), math.log(delta[1]), inner))
        with torch.no_grad():
            self.dt.bias.copy_(torch.log(torch.expm1(steps)))

    def forward(self, x: torch.Tensor, state: Any) -> Any:
        """-> (rows [outputs, time, batch], state)"""
        steps, lanes = x.shape[1:]
        past, hidden = state or (x.new_zeros(self.inner, self.taps - 1, lanes), None)
        a, gate = (self.input @ x.reshape(len(x), -1)).view(2 * self.inner, steps, lanes).split(self.inner)
        a = torch.cat([past, a], dim=1)
        u = silu(shaping.taps(a, self.conv, self.conv_bias))
        r, b, c = (
            (self.x @ u.reshape(self.inner, -1))
            .view(-1, steps, lanes)
            .split([self.rank, self.states, self.states])
        )
        delta = torch.nn.functional.softplus(dense(self.dt, r))
        s, hidden = scans.selective(u, delta, b, c, self.a_log.exp(), hidden)
        s = torch.addcmul(s, self.skip[:, None, None], u) * silu(gate)
        return dense(self.out, s), (a[:, steps:], hidden)

    def tensors(self, name: torch.Tensor) -> dict[str, np.ndarray]:
        own = {
            "in.weight": self.input,
            "conv.weight": self.conv,
            "conv.bias": self.conv_bias,
            "x.weight": self.x,
            "a_log": self.a_log,
            "skip": self.skip,
        }
        return {
            **{f"{name}.{key}": array(value) for key, value in own.items()},
            **linear_tensors(name + ".dt", self.dt),
            **linear_tensors(name + ".out", self.out),
        }

    def operations(self) -> float:
        d, n, r = float(self.inner), float(self.states), float(self.rank)
        count = (
            2.0 * (r + 2.0 * n) * d
            + 2.0 * d * r
            + 2.0 * TRANSCENDENTAL * d
            + d * n * (TRANSCENDENTAL + 6.0)
            + 3.0 * d
        )
        count += 2.0 * self.out.weight.numel() + 2.0 * self.input.numel()
        return count + 2.0 * d * self.taps + 2.0 * d * (TRANSCENDENTAL + 2.0)


class Glu(torch.nn.Module):
    """gain and offset -> gated linear unit: o * softsign(g)"""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(channels, 2 * channels)
        with torch.no_grad():
            self.layer.bias[channels:] = 1.0

    def forward(self, x: torch.Tensor, gain: torch.Tensor, offset: torch.Tensor) -> Any:
        out, gate = dense(self.layer, torch.addcmul(offset, x, gain)).chunk(2)
        return out * torch.nn.functional.softsign(gate)

    def operations(self) -> float:
        channels = self.layer.in_features
        return 6.0 * channels + 2.0 * self.layer.weight.numel()


class Spectrum(torch.nn.Module):
    """Learned sums of the magnitudes of the spectrum of the last samples, padded with zeros to 2 bins - 1."""

    PIECE = 64  # samples whose spectra are worked out at once: they stay in a processor's cache

    def __init__(self, window: int, bins: int, features: int) -> None:
        super().__init__()
        self.bins, self.layer = bins, torch.nn.Linear(bins, features)
        angle = 2.0 * math.pi / (2 * bins - 1) * torch.arange(bins)[:, None].double() * torch.arange(window)
        self.register_buffer("waves", torch.cat([torch.cos(angle), torch.sin(angle)]).float())

    def forward(self, x: torch.Tensor, past: torch.Tensor) -> Any:
        sound = torch.cat([past, x])
        pieces = (sound[first : first + self.PIECE + len(past)] for first in range(0, len(x), self.PIECE))
        return dense(self.layer, torch.cat([self.magnitudes(piece) for piece in pieces], dim=1))

    def magnitudes(self, sound: torch.Tensor) -> torch.Tensor:
        """sound [window - 1 + time, batch] -> [bins, time, batch]"""
        window, lanes = self.waves.shape[1], sound.shape[1]
        steps = len(sound) - window + 1
        windows = sound.reshape(-1).as_strided(
            (window, steps * lanes), (lanes, 1)
        )  # each row begins a sample later
        re, im = (self.waves @ windows).view(-1, steps, lanes).chunk(2)
        return torch.sqrt(re * re + im * im + 1e-12)


class S6(Model):
    """window: samples that are heard at once; channels; inner, states, rank, taps: of the selective layers;
    units: of the GRU (twice `channels`); activation: "gelu" | "tanh"; features: sums of the spectrum, of
    `bins` bins (0: none); delta: the steps' range at the start. The first half of the knobs goes to the FiLM
    layer, the others to the GRU; without knobs for it and without features there is no GRU, and one selective
    layer only."""

    architecture = name = "s6"
    recipe = {
        "segment_samples": 96000,
        "batch": 16,
        "warm_samples": 24000,
        "tbptt_samples": 2048,
        "rate": 5e-3,
        "loss": "esr",
        "average_steps": 300,
    }

    def __init__(
        self,
        controls: list[Control],
        sample_rate: float,
        window: int = 64,
        channels: int = 8,
        inner: int = 16,
        states: int = 8,
        rank: int = 1,
        taps: int = 4,
        activation: str = "gelu",
        features: int = 4,
        bins: int = 33,
        product: bool = True,
        delta: torch.Tensor = (3e-5, 0.05),
    ) -> None:
        super().__init__(controls, sample_rate)
        self.window, self.activation, self.product = window, activation, product
        self.first = (len(controls) + 1) // 2
        second = len(controls) - self.first
        self.input = torch.nn.Linear(window, channels)
        self.spectrum = Spectrum(window, bins, features) if features else None
        self.film = torch.nn.Linear(self.first + features, 2 * channels)
        self.temporal = Cell("gru", second + features, 2 * channels) if second + features else None
        stages = 2 if self.temporal else 1
        sizes = (channels, channels, inner, states, rank, taps, delta)
        self.ssm = torch.nn.ModuleList([Ssm(*sizes) for _ in range(stages)])
        self.mix = torch.nn.ModuleList([torch.nn.Linear(channels, channels) for _ in range(stages)])
        self.glu = torch.nn.ModuleList([Glu(channels) for _ in range(stages)])
        self.out = torch.nn.Linear(channels, 1)
        with torch.no_grad():
            self.film.weight *= 0.3
            self.film.bias.copy_(torch.cat([torch.ones(channels), torch.zeros(channels)]))
            if self.temporal:
                self.temporal.remember(
                    decades(channels).repeat(2)
                )  # what it says is a gain and an offset for every channel
            self.input.weight *= 4.0
            self.input.bias.normal_(0.0, 0.5)
            louder = 2.5 ** (
                1.0 / stages
            )  # or what the states hold would hardly be heard; two such stages would blow up
            for layer in (*(ssm.out for ssm in self.ssm), *self.mix, *(glu.layer for glu in self.glu)):
                layer.weight *= louder
            self.out.weight *= 0.5
            self.out.bias.fill_(1.0 if product else 0.0)

    @classmethod
    def idle(cls, settings: dict[str, Any]) -> list[str]:
        return [] if settings["features"] else ["bins"]

    def stage(self, number: int, x: torch.Tensor, state: Any) -> torch.Tensor:
        x, state = self.ssm[number](x, state)
        x = dense(self.mix[number], x)
        return (torch.nn.functional.gelu(x) if self.activation == "gelu" else torch.tanh(x)), state

    def piece(self, x: torch.Tensor, knobs: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        lanes, steps = x.shape
        sound = x.T.contiguous()
        past, hidden, states = state or (sound.new_zeros(self.window - 1, lanes), None, [None, None])
        features = self.spectrum(sound, past) if self.spectrum else None
        h, past = last_windows(sound, past, self.input.weight)
        h, first = self.stage(0, h + self.input.bias[:, None, None], states[0])
        h = self.glu[0](h, *self.modulation(knobs[:, : self.first], features))
        second = None
        if self.temporal:
            held = knobs[:, self.first :]
            heard = features.transpose(0, 1) if features is not None else sound.new_zeros(steps, 0, lanes)
            said, hidden = self.temporal(heard, held, hidden)
            h = self.glu[1](h, *said.transpose(0, 1).chunk(2))
            h, second = self.stage(1, h, states[1])
        y = dense(self.out, h)[0]
        return (y * sound if self.product else y).T, (past, hidden, [first, second])

    def modulation(self, held: torch.Tensor, features: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
        """-> gain and offset [channels, 1 or time, batch]"""
        weight = self.film.weight
        said = (held @ weight[:, : self.first].T + self.film.bias).T[:, None]
        if features is not None:
            said = said + (weight[:, self.first :] @ features.reshape(len(features), -1)).view(
                len(weight), *features.shape[1:]
            )
        return said.chunk(2)

    def start_at_gain(self, gain: float) -> None:
        self.out.weight *= gain
        self.out.bias *= gain

    # -------------------------------------------------------------------------------- file

    def config(self) -> dict[str, Any]:
        return {
            "meaning": "recurrent",
            "activation": self.activation,
            "product": self.product,
            "window": self.window,
        }

    def tensors(self) -> dict[str, np.ndarray]:
        out = {
            **linear_tensors("input", self.input),
            **linear_tensors("film", self.film),
            **linear_tensors("output", self.out),
        }
        for n, name in enumerate(("film.glu", "temporal.glu")[: len(self.glu)]):
            out.update(
                {
                    **self.ssm[n].tensors(f"ssm.{n}"),
                    **linear_tensors(f"mix.{n}", self.mix[n]),
                    **linear_tensors(name, self.glu[n].layer),
                }
            )
        if self.spectrum:
            out.update(linear_tensors("features", self.spectrum.layer))
        if self.temporal:
            out.update({f"temporal.{name}": value for name, value in self.temporal.tensors().items()})
            second = (
                len(self.controls) - self.first
            )  # come first in the file, behind the features in the cell
            out["temporal.weight_ih"] = np.roll(out["temporal.weight_ih"], second, axis=1)
        return out

    def seconds_to_forget(self) -> float:
        return forgetting.seconds(self)

    def operations(self) -> float:
        count = sum(2.0 * layer.weight.numel() for layer in (self.input, self.film, self.out))
        for ssm, mix, glu in zip(self.ssm, self.mix, self.glu):
            count += (
                ssm.operations()
                + 2.0 * mix.weight.numel()
                + TRANSCENDENTAL * mix.out_features
                + glu.operations()
            )
        if self.spectrum:
            count += self.spectrum.bins * (11.0 + TRANSCENDENTAL) + 2.0 * self.spectrum.layer.weight.numel()
        if self.temporal:
            units, inputs = self.temporal.units, self.temporal.network.input_size
            count += cell_operations("gru", units, inputs)[1] + units * (3.0 * TRANSCENDENTAL + 6.0)
        return count + (1.0 if self.product else 0.0)

    def describe(self) -> str:
        ssm, temporal = self.ssm[0], f", GRU of {self.temporal.units}" if self.temporal else ""
        spectrum = f", {self.spectrum.layer.out_features} sums of the spectrum" if self.spectrum else ""
        return (
            f"S6: hears {self.window} samples at once; {len(self.ssm)} selective layers of {ssm.inner} channels with {ssm.states} "
            f"states{temporal}{spectrum}"
        )

    def groups(self, rate: float) -> list[dict[str, Any]]:
        """What sets how fast it forgets is slower."""
        slow = [p for ssm in self.ssm for p in (ssm.a_log, ssm.dt.bias)]
        chosen = {id(p) for p in slow}
        return [
            {"params": [p for p in self.parameters() if id(p) not in chosen], "lr": rate},
            {"params": slow, "lr": 0.3 * rate},
        ]
