"""Models on recordings: what they play, and how far that is from the targets, setting by setting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from .baselines import by_setting, setting_of, static_curve, static_gain
from .data.pairs import Dataset, Pair
from .models import Model
from .scores import Scores

if TYPE_CHECKING:
    from .runtime import Runtime

ROWS, PIECE = 16, 16384  # clips played side by side, samples at a time
MOST_SAMPLES = 1 << 25  # of all of them together


@dataclass
class Row:
    """One setting of the knobs in one split. Scores: of the model, and of what needs no training."""

    split: str
    knobs: dict[str, float]
    sample_rate: float
    model: Scores
    gain: Scores
    curve: Scores
    through: Scores | None = None  # of the runtime's own rendering
    difference: float = 0.0  # between that and the model's output: the largest of any sample
    worst: tuple[float, str, float] = (0.0, "", 0.0)  # the loudest error: its height, clip, second

    def hear(self, pair: Pair, output: np.ndarray) -> None:
        wet = np.asarray(pair.wet)
        self.model.add(output, wet)
        error = np.abs(output - wet)
        if len(error):
            at = int(np.argmax(error))
            self.worst = max(self.worst, (float(error[at]), pair.name, at / self.sample_rate))

    def hear_through(self, pair: Pair, output: np.ndarray, rendered: np.ndarray) -> None:
        self.through = self.through or Scores()
        self.through.add(rendered, np.asarray(pair.wet))
        self.difference = max(self.difference, float(np.max(np.abs(rendered - output), initial=0.0)))


def measure(
    model: Model,
    dataset: Dataset,
    splits: list[str],
    runtime: Runtime | None = None,
    shown: Callable[[Pair], None] = lambda done: None,
) -> list[Row]:
    """-> [Row] for every split and setting of the knobs"""
    rows: list[Row] = []
    for split in splits:
        groups = by_setting(dataset.of(split))
        made = {
            setting: Row(
                split, dict(setting), dataset.sample_rate, Scores(), static_gain(group), static_curve(group)
            )
            for setting, group in groups.items()
        }
        for pair, output in play(model, dataset.of(split)):
            row = made[setting_of(pair)]
            row.hear(pair, output)
            if runtime:
                row.hear_through(pair, output, runtime.render(pair))
            shown(pair)
        rows += made.values()
    return rows


def mean(rows: list[Row], name: str, metric: str) -> float:
    """-> a metric of all rows' model, gain, curve or through: its mean over the settings of the knobs"""
    return float(np.mean([getattr(getattr(row, name), metric) for row in rows]))


def together(rows: list[Row], name: str) -> Scores:
    """-> Scores of all rows' model, gain, curve or through, loud settings for more than quiet ones"""
    total = Scores()
    for row in rows:
        total += getattr(row, name)
    return total


def play(model: Model, pairs: list[Pair]) -> Iterator[tuple[Pair, np.ndarray]]:
    """Yields (pair, output [samples]): clips of one length side by side, each from a fresh start."""
    device = next(model.parameters()).device
    piece = max(model.frame, PIECE // model.frame * model.frame)
    for group in _alike(pairs):
        length = len(group[0].dry)
        padded = -(-length // model.frame) * model.frame
        dry = np.zeros((len(group), padded), np.float32)
        for row, pair in enumerate(group):
            dry[row, :length] = pair.dry
        knobs = model.conditioning([pair.knobs for pair in group]).reshape(len(group), -1).to(device)
        outputs, state = [], None
        with torch.no_grad():
            for begin in range(0, padded, piece):
                sound = torch.from_numpy(dry[:, begin : begin + piece]).to(device)
                output, state = model(sound, knobs, state)
                outputs.append(output.cpu().numpy())
        for pair, output in zip(group, np.concatenate(outputs, 1)):
            yield pair, output[:length]


def _alike(pairs: list[Pair]) -> list[list[Pair]]:
    """-> lists of at most ROWS pairs of one length, fewer of long ones"""
    lengths: dict[int, list[Pair]] = {}
    for pair in pairs:
        lengths.setdefault(len(pair.dry), []).append(pair)
    groups = []
    for length, group in lengths.items():
        rows = max(1, min(ROWS, MOST_SAMPLES // max(1, length)))
        groups += [group[at : at + rows] for at in range(0, len(group), rows)]
    return groups
