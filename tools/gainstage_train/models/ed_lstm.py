"""ED-LSTM: Simionato & Fasciani, "Fully Conditioned and Low-Latency Black-Box Modeling of Analog
Compression", DAFx 2023, and a variant of it that carries its state. Equations and names:
nodes/models/ed_lstm/ed_lstm_weights.hpp.

The published network hears nothing older than two windows, so its windows are a batch. The variant keeps the
LSTM's cell state from window to window, and adds to it what the published one starts from."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from gainstage_files.model_file import Control
from . import forgetting
from .cells import Cell, LstmSteps, cell_operations, kernels
from .model import CARRIED_STATE_RECIPE, TRANSCENDENTAL, Model, linear_tensors


class EdLstm(Model):
    """window: samples w; units: of the LSTM (published: 64); dense: outputs of the layer behind it
    (published: as many)."""

    architecture, name, carried = "ed_lstm", "ed_lstm", False
    recipe = {
        "segment_samples": 48000,
        "batch": 32,
        "warm_samples": 512,
        "tbptt_samples": 4096,
        "rate": 1e-3,
        "loss": "esr+dc",
    }

    def __init__(
        self,
        controls: list[Control],
        sample_rate: float,
        window: int = 16,
        units: int = 32,
        dense: int | None = None,
    ) -> None:
        super().__init__(controls, sample_rate)
        self.frame = self.latency_samples = window
        self.receptive_field = 0 if self.carried else 2 * window
        self.window, self.units, inner = window, units, dense or units
        self.encoder = torch.nn.ModuleDict({name: torch.nn.Linear(window, units) for name in "hc"})
        self.condition = torch.nn.ModuleDict(
            {name: torch.nn.Linear(len(controls), units) for name in "hc"} if controls else {}
        )
        self.lstm = Cell("lstm", 1, units)
        self.dense, self.output = torch.nn.Linear(units, inner), torch.nn.Linear(inner, window)
        with torch.no_grad():
            self.start()

    QUIET, OPEN = 0.1, 4.0  # of the delay line at the start: its level, below where tanh bends, and its gates

    def start(self) -> None:
        """The first w units are a delay line: each hears the one before it, the first the sound; so at the
        end of a window they hold its samples, and the dense layers hand them out. The network starts as a
        wire; left to find one, it takes hours.
        """
        u, w, network = self.units, min(self.window, self.units), self.lstm.network
        network.bias_hh_l0.zero_()
        network.bias_ih_l0[u : 2 * u] = 2.0  # the others remember for a window or so
        i, f, g, o = (network.bias_ih_l0[k * u : k * u + w] for k in range(4))
        i.fill_(self.OPEN), f.fill_(-self.OPEN), g.fill_(0.0), o.fill_(self.OPEN)
        network.weight_hh_l0[:, :] *= 0.3
        network.weight_ih_l0 *= 0.3
        through = torch.sigmoid(torch.tensor(self.OPEN)) ** 2
        line = slice(2 * u, 2 * u + w)
        network.weight_hh_l0[line], network.weight_ih_l0[line] = 0.0, 0.0
        network.weight_hh_l0[range(2 * u + 1, 2 * u + w), range(w - 1)] = 1.0 / through
        network.weight_ih_l0[2 * u, 0] = self.QUIET / through
        self.start_as_wire(min(w, self.dense.out_features))

    def start_as_wire(self, taps: int) -> None:
        """A sigmoid is straight around 0, with a slope of a quarter."""
        self.dense.weight[:taps] = 0.0
        self.dense.bias.zero_()
        self.dense.weight[range(taps), range(taps)] = 1.0
        self.output.weight *= 0.01
        samples = [self.window - 1 - n for n in range(taps)]  # the newest one is in the first unit
        self.output.weight[samples, range(taps)] = 4.0 / self.QUIET
        self.output.bias.copy_(-0.5 * self.output.weight.sum(1))

    def start_at_gain(self, gain: float) -> None:
        self.output.weight *= gain
        self.output.bias *= gain

    def begins(self, x: torch.Tensor, knobs: torch.Tensor, before: torch.Tensor) -> list[torch.Tensor]:
        """x [batch, samples]; before [batch, w] -> what each window starts from, h and c [windows, units,
        batch]"""
        lanes, w = len(x), self.window
        older = torch.cat([before, x[:, :-w]], dim=1).view(lanes, -1, w)
        out = []
        for name in "hc":
            start = self.encoder[name](older)
            if self.controls:
                start = start + self.condition[name](knobs)[:, None]
            out.append(start.permute(1, 2, 0))
        return out

    def piece(
        self, x: torch.Tensor, knobs: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, Any]:
        lanes, steps = x.shape
        w, windows = self.window, steps // self.window
        assert windows * w == steps, f"ED-LSTM takes whole windows of {w} samples"
        before, c = state or (x.new_zeros(lanes, w), x.new_zeros(self.units, lanes))
        h0, c0 = self.begins(x, knobs, before)
        if self.carried:
            h, c = self.carry(x, h0, c0, c)
        else:
            h = self.rebuild(x, h0, c0)
        y = self.output(torch.sigmoid(self.dense(h)))
        return y.reshape(lanes, steps), (x[:, -w:], c)

    def rebuild(self, x: torch.Tensor, h0: torch.Tensor, c0: torch.Tensor) -> torch.Tensor:
        """-> the last h of every window [batch, windows, units]; all windows step together."""
        lanes, (windows, units) = len(x), h0.shape[:2]
        sound = x.reshape(lanes * windows, -1).T.contiguous()
        begin = [start.permute(1, 2, 0).reshape(units, -1).contiguous() for start in (h0, c0)]
        _, (h, _) = self.lstm(sound[:, None], None, tuple(begin))
        return h.view(units, lanes, windows).permute(1, 2, 0)

    def carry(
        self, x: torch.Tensor, h0: torch.Tensor, c0: torch.Tensor, c: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """-> the same, and the cell state at the end [units, batch]; windows follow one another."""
        w, sound = self.window, x.T.contiguous()[:, None]
        if kernels is None or x.device.type != "cpu":
            last = []
            for n in range(len(h0)):
                _, (h, c) = self.lstm.by_torch(sound[n * w : (n + 1) * w], None, (h0[n], c + c0[n]))
                last.append(h)
            return torch.stack(last).permute(2, 0, 1), c
        w_ih, w_hh, b_ih, b_hh = self.lstm.weights()
        base = (b_ih + b_hh)[:, None].expand(-1, len(x))
        h, _, c = LstmSteps.apply(
            sound, w_ih, w_hh, base, h0.contiguous(), c0.contiguous(), w, torch.zeros_like(c), c
        )
        return h[w - 1 :: w].permute(2, 0, 1), c

    # -------------------------------------------------------------------------------- file

    def config(self) -> dict[str, Any]:
        return {"window": self.window, "state": "carried" if self.carried else "rebuilt"}

    def tensors(self) -> dict[str, np.ndarray]:
        cell = self.lstm.tensors()
        out = {
            "lstm.weight_ih": cell["weight_ih"],
            "lstm.weight_hh": cell["weight_hh"],
            "lstm.bias": cell["bias_ih"] + cell["bias_hh"],
            **linear_tensors("dense", self.dense),
            **linear_tensors("output", self.output),
        }
        for name in "hc":
            out.update(linear_tensors("encoder." + name, self.encoder[name]))
            if self.controls:
                out.update(linear_tensors("condition." + name, self.condition[name]))
        return out

    def seconds_to_forget(self) -> float:
        return 2.0 * self.window / self.sample_rate

    def operations(self) -> float:
        u, w, d = float(self.units), float(self.window), float(self.dense.out_features)
        step = cell_operations("lstm", self.units, 1)[1] + u * (5.0 * TRANSCENDENTAL + 4.0)
        return step + 2.0 * (2.0 * u * w) / w + (2.0 * d * u + TRANSCENDENTAL * d + 2.0 * w * d) / w

    def describe(self) -> str:
        state = (
            "cell state carried from window to window"
            if self.carried
            else f"no memory beyond {2 * self.window} samples"
        )
        return f"ED-LSTM: windows of {self.window}, {self.units} units, {state}"


class EdLstmCarried(EdLstm):
    """h = encoder.h(e) + condition.h(z) and c = c of the last window's end + encoder.c(e) + condition.c(z) at
    the start of every window; all else as published."""

    name, carried = "ed_lstm_carried", True
    recipe = CARRIED_STATE_RECIPE

    LONGEST_S = 1.0  # of a unit's memory at the start

    def start(self) -> None:
        """Behind the delay line all units hold for up to LONGEST_S, their input gates closed as far, so that
        what they gather stays within reach."""
        super().start()
        u, w = self.units, min(self.window, self.units)
        shortest, longest = (
            torch.tensor(samples).log() for samples in (4.0 * self.window, self.LONGEST_S * self.sample_rate)
        )
        reach = torch.exp(torch.linspace(shortest, longest, u - w))
        network = self.lstm.network
        network.bias_ih_l0[u + w : 2 * u] = torch.log(reach)
        network.bias_ih_l0[w:u] = -torch.log(reach / 16.0)
        for layer in (self.encoder["c"], *([self.condition["c"]] if self.controls else [])):
            layer.weight[w:] /= reach[:, None] / self.window
            layer.bias[w:] = 0.0
        network.weight_hh_l0[u + w : 2 * u] *= 0.1
        network.weight_ih_l0[u + w : 2 * u] *= 0.1

    def seconds_to_forget(self) -> float:
        return forgetting.seconds(self)
