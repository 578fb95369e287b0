"""The grey-box compressor: Wright & Valimaki, "Grey-box modelling of dynamic range compression", DAFx 2022.
Equations and names: nodes/models/grey_box/grey_box_weights.hpp, nodes/dsp/grey_box_maths.hpp."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from gainstage_files.model_file import LONGEST_MEMORY_S, Control
from gainstage_import import grey_box as importer, memory
from . import scans
from .cells import Cell, cell_operations
from .model import TRANSCENDENTAL, Model, array, mlp, mlp_tensors

RANGE_DB = 80.0
FLOOR = 1e-4
START = {"threshold_db": -30.0, "ratio": 3.0, "knee_db": 10.0, "attack_s": 0.005, "release_s": 0.2}
ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}


def logit(p: float) -> float:
    return math.log(p / (1.0 - p))


class CellOut(torch.nn.Module):
    """A cell that hears one number and says one (nodes/layers/recurrence.hpp)."""

    def __init__(self, kind: str, units: int) -> None:
        super().__init__()
        self.cell, self.out = Cell(kind, 1, units), torch.nn.Linear(units, 1)

    def forward(self, x: torch.Tensor, state: torch.Tensor | None) -> Any:
        """x [time, batch] -> (o [time, batch], state)"""
        h, state = self.cell(x[:, None], None, state)
        return (self.out.weight[0][:, None] * h).sum(1) + self.out.bias, state

    def tensors(self, name: str) -> dict[str, np.ndarray]:
        return {
            **{f"{name}.{key}": value for key, value in self.cell.tensors().items()},
            f"{name}.out.weight": array(self.out.weight),
            f"{name}.out.bias": array(self.out.bias),
        }

    def operations(self) -> float:
        gates, count = cell_operations(self.cell.kind, self.cell.units, 1)
        units = self.cell.units
        return count + units * gates * TRANSCENDENTAL + (5.0 * units if gates == 3 else 0.0) + 2.0 * units


class GreyBox(Model):
    """level -> static curve -> smoothing of the gain -> times x -> make-up.

    knee: "hard" | "soft"; detector: "one_pole" | "switching" | "rnn" | "gru"; makeup: "static" | "gru" |
    "rnn"; units of either cell; hidden: widths of the conditioning network; activation: its, "tanh" |
    "relu"."""

    architecture = name = "grey_box"
    recipe = {
        "segment_samples": 192000,
        "batch": 32,
        "warm_samples": 48000,
        "tbptt_samples": 4800,
        "rate": 5e-3,
        "loss": "esr+dc",
    }

    def __init__(
        self,
        controls: list[Control],
        sample_rate: float,
        knee: str = "soft",
        detector: str = "rnn",
        makeup: str = "gru",
        detector_units: int = 4,
        makeup_units: int = 8,
        hidden: Sequence[int] = (20, 20),
        activation: str = "tanh",
    ) -> None:
        super().__init__(controls, sample_rate)
        self.knee, self.detector_kind, self.makeup_kind, self.activation = knee, detector, makeup, activation
        self.curve = mlp((len(controls), *hidden, 3 if knee == "soft" else 2), ACTIVATIONS[activation])
        self.start_curve()
        self.detector = self.start_detector(detector_units)
        self.makeup = self.start_makeup(makeup_units)

    @classmethod
    def idle(cls, settings: dict[str, Any]) -> list[str]:
        return [
            name
            for name, used in (
                ("detector_units", settings["detector"] in ("rnn", "gru")),
                ("makeup_units", settings["makeup"] != "static"),
            )
            if not used
        ]

    def start_curve(self) -> None:
        """Near START wherever the knobs are."""
        last = self.curve[-1]
        goals = [-START["threshold_db"] / 80.0, (START["ratio"] - 1.0) / 30.0, START["knee_db"] / 30.0]
        with torch.no_grad():
            last.weight *= 0.3
            last.bias.copy_(torch.tensor([logit(p) for p in goals[: len(last.bias)]]))

    def start_detector(self, units: int) -> CellOut | None:
        if self.detector_kind == "one_pole":
            self.log_tau = torch.nn.Parameter(torch.tensor([math.log(0.05)]))
        elif self.detector_kind == "switching":
            self.log_tau = torch.nn.Parameter(
                torch.tensor([math.log(START["attack_s"]), math.log(START["release_s"])])
            )
        else:
            cell = CellOut(self.detector_kind, units)
            if self.detector_kind == "rnn":
                self.start_elman(cell)
            else:
                with torch.no_grad():
                    cell.out.bias.fill_(logit(0.1))
            return cell
        return None

    @staticmethod
    def start_elman(cell: CellOut) -> None:
        """Every other unit follows the gain at once, those between follow slowly; where the gain is below its
        mean the time constant is short, an attack, else long."""
        network, out = cell.cell.network, cell.out
        with torch.no_grad():
            for parameter in (network.bias_ih_l0, network.bias_hh_l0):
                parameter.zero_()
            network.weight_hh_l0 *= 0.1
            network.weight_ih_l0 *= 0.1
            for n in range(cell.cell.units):
                slow = 0.0 if n % 2 == 0 else 0.99 - 0.09 * (n // 2 % 2)
                network.weight_hh_l0[n, n] = slow
                network.weight_ih_l0[n, 0] = 1.0 - slow
                out.weight[0, n] = (1.0 if slow == 0.0 else -1.0) * 50.0 / cell.cell.units
            out.bias.fill_(logit(START["release_s"]))

    def start_makeup(self, units: int) -> CellOut | None:
        if self.makeup_kind == "static":
            self.gain, self.bias = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))
            return None
        cell = CellOut(self.makeup_kind, units)
        with torch.no_grad():
            cell.out.weight *= 0.1
            cell.out.bias.zero_()
            if self.makeup_kind == "gru":
                self.start_slow(cell.cell)
        return cell

    @staticmethod
    def start_slow(cell: Cell) -> None:
        """Coupling capacitors remember tens of milliseconds: half of the units start as what they hear, the
        others as its slow part, over 5 to 50 ms."""
        slow = cell.units // 2
        logs = torch.cat(
            [torch.full((cell.units - slow,), -2.0), torch.linspace(math.log(240.0), math.log(2400.0), slow)]
        )
        cell.remember(1.0 + torch.exp(logs))
        cell.network.weight_ih_l0[cell.units : 2 * cell.units] *= 0.1
        cell.network.weight_hh_l0 *= 0.1

    # -------------------------------------------------------------------------------- sound

    def curve_values(self, knobs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """-> threshold in dB, slope 1 / ratio - 1, knee in dB, [batch] each"""
        said = torch.sigmoid(self.curve(knobs))
        knee = 30.0 * said[:, 2] if self.knee == "soft" else torch.zeros_like(said[:, 0])
        return -80.0 * said[:, 0], 1.0 / (1.0 + 30.0 * said[:, 1]) - 1.0, knee

    def static_gain(self, x: torch.Tensor, knobs: torch.Tensor) -> torch.Tensor:
        """x [time, batch] -> gain in units of 80 dB"""
        threshold, slope, knee = self.curve_values(knobs)
        over = (20.0 / math.log(10.0)) * torch.log(x.abs().clamp_min(FLOOR)) - threshold
        if self.knee == "hard":
            return (slope / RANGE_DB) * over.clamp_min(0.0)
        within = torch.minimum((over + 0.5 * knee).clamp_min(0.0), knee)
        return (slope / RANGE_DB) * (
            within * within / (2.0 * knee.clamp_min(1e-6)) + (over - 0.5 * knee).clamp_min(0.0)
        )

    def smoothed(
        self, gain: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor] | torch.Tensor | None
    ) -> tuple[torch.Tensor, Any]:
        """-> (gain [time, batch], state)"""
        if self.detector is None:
            share = scans.share_of(self.log_tau.exp(), self.sample_rate)
            return (
                scans.switching(gain, share[0], share[-1], state)
                if len(share) == 2
                else scans.smooth(gain, share.expand_as(gain), state)
            )
        s, hidden = state or (None, None)
        raw, hidden = self.detector(gain, hidden)
        share = -torch.expm1(-(1.0 + torch.exp(-raw.clamp(-80.0, 80.0))) / self.sample_rate)
        gain, s = scans.smooth(gain, share, s)
        return gain, (s, hidden)

    def piece(
        self, x: torch.Tensor, knobs: torch.Tensor, state: tuple[Any, torch.Tensor | None] | None = None
    ) -> tuple[torch.Tensor, Any]:
        detector, makeup = state or (None, None)
        x = x.T.contiguous()
        gain, detector = self.smoothed(self.static_gain(x, knobs), detector)
        y = x * torch.exp((4.0 * math.log(10.0)) * gain)
        if self.makeup is None:
            y = (y + torch.tanh(self.bias)) * (1.0 + torch.tanh(self.gain))
        else:
            said, makeup = self.makeup(y, makeup)
            y = y + said
        return y.T, (detector, makeup)

    # -------------------------------------------------------------------------------- file

    def config(self) -> dict[str, Any]:
        return {
            "knee": self.knee,
            "detector": self.detector_kind,
            "makeup": self.makeup_kind,
            "mlp_activation": self.activation,
        }

    def tensors(self) -> dict[str, np.ndarray]:
        detector = (
            self.detector.tensors("detector")
            if self.detector
            else {"detector.tau_s": array(self.log_tau.exp())}
        )
        makeup = (
            self.makeup.tensors("makeup")
            if self.makeup
            else {"makeup.gain": array(self.gain), "makeup.bias": array(self.bias)}
        )
        return {**mlp_tensors("mlp", self.curve), **detector, **makeup}

    def seconds_to_forget(self) -> float:
        if self.detector is None:
            return importer.seconds_to_forget(self.tensors(), self.sample_rate)
        makeup = memory.of_cell(self.tensors(), "makeup", self.sample_rate) if self.makeup else 0.0
        return self.detector_seconds() + makeup

    def detector_seconds(self) -> float:
        """Until the detector has come together from all ends of its state, at rest and while the sound
        wanders."""
        inputs = memory.test_inputs(-1.0, 0.0, int(LONGEST_MEMORY_S * self.sample_rate))
        ends = [(s, h) for s in (-1.0, 0.0) for h in (-1.0, 1.0)]
        lanes = torch.from_numpy(np.tile(inputs, (len(ends), 1)).T.copy()).float()
        gain, hidden = (
            torch.tensor(values).repeat_interleave(len(inputs)).to(lanes) for values in zip(*ends)
        )
        assert self.detector is not None
        with torch.no_grad():
            out, _ = self.smoothed(lanes, (gain, hidden.expand(self.detector.cell.units, -1).contiguous()))
        rows = out.T.reshape(len(ends), *inputs.shape).numpy()
        return (
            memory.last_above(rows.max(axis=0) - rows.min(axis=0), memory.GAIN_TOLERANCE) / self.sample_rate
        )

    def operations(self) -> float:
        count = 2.0 * TRANSCENDENTAL + (9.0 if self.knee == "soft" else 5.0)
        count += self.detector.operations() + 2.0 * TRANSCENDENTAL + 3.0 if self.detector else 4.0
        return count + (self.makeup.operations() + 1.0 if self.makeup else 2.0)

    def describe(self) -> str:
        cells = [
            f"{kind} of {cell.cell.units}" if cell else kind
            for kind, cell in ((self.detector_kind, self.detector), (self.makeup_kind, self.makeup))
        ]
        return f"grey box: {self.knee} knee, detector {cells[0]}, make-up {cells[1]}"

    def groups(self, rate: float) -> list[dict[str, Any]]:
        """What the detector's numbers do spans decades: faster."""
        fast = list(self.detector.out.parameters()) if self.detector else [self.log_tau]
        chosen = {id(p) for p in fast}
        return [
            {"params": [p for p in self.parameters() if id(p) not in chosen], "lr": rate},
            {"params": fast, "lr": 5.0 * rate},
        ]
