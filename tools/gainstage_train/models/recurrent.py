"""The recurrent baselines: one layer of LSTM or GRU that hears the sample and the knobs, and a dense layer.
Equations and names: nodes/models/recurrent/recurrent_weights.hpp."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from gainstage_files.model_file import Control
from . import forgetting
from .cells import Cell, cell_operations, decades
from .model import CARRIED_STATE_RECIPE, TRANSCENDENTAL, Model, linear_tensors


class Recurrent(Model):
    """units; final_tanh: "none" | "tanh"; skip: 1 where the input is added to the output, for devices that
    leave most of it as it is, such as overdrives; else 0, the start: what turns the sound far down would
    first have to unlearn it."""

    kind = ""
    recipe = CARRIED_STATE_RECIPE

    def __init__(
        self,
        controls: list[Control],
        sample_rate: float,
        units: int = 32,
        final_tanh: str = "none",
        skip: int = 0,
    ) -> None:
        super().__init__(controls, sample_rate)
        self.final_tanh, self.skip = final_tanh, int(skip)
        self.cell, self.out = Cell(self.kind, 1 + len(controls), units), torch.nn.Linear(units, 1)
        with torch.no_grad():
            self.out.weight *= 0.1
            self.out.bias.zero_()
            self.cell.remember(decades(units))

    def piece(
        self, x: torch.Tensor, knobs: torch.Tensor, state: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, Any]:
        sound = x.T.contiguous()
        h, state = self.cell(sound[:, None], knobs, state)
        y = (self.out.weight[0][:, None] * h).sum(1) + self.out.bias
        y = torch.tanh(y) if self.final_tanh == "tanh" else y
        return (y + sound if self.skip else y).T, state

    def config(self) -> dict[str, Any]:
        return {"final_tanh": self.final_tanh, "skip": self.skip}

    def tensors(self) -> dict[str, np.ndarray]:
        return {
            **{f"layers.0.{name}": value for name, value in self.cell.tensors().items()},
            **linear_tensors("output", self.out),
        }

    def seconds_to_forget(self) -> float:
        return forgetting.seconds(self)

    def operations(self) -> float:
        units = self.cell.units
        count = (
            2.0 * units + (TRANSCENDENTAL if self.final_tanh == "tanh" else 0.0) + (1.0 if self.skip else 0.0)
        )
        squashed = 5.0 if self.kind == "lstm" else 3.0  # an LSTM squashes its cell, too
        return (
            count
            + cell_operations(self.kind, units, 1 + len(self.controls))[1]
            + units * (squashed * TRANSCENDENTAL + 5.0)
        )

    def describe(self) -> str:
        return f"{self.kind.upper()} of {self.cell.units} units, final tanh: {self.final_tanh}, skip: {self.skip}"


class Lstm(Recurrent):
    architecture = name = kind = "lstm"


class Gru(Recurrent):
    architecture = name = kind = "gru"
