"""Models on recordings: what they play, and how far that is from the targets, setting by setting."""

from dataclasses import dataclass

import numpy as np
import torch

from .baselines import by_setting, setting_of, static_curve, static_gain
from .scores import Scores

ROWS, PIECE = 16, 16384  # clips played side by side, samples at a time
MOST_SAMPLES = 1 << 25  # of all of them together


@dataclass
class Row:
    """One setting of the knobs in one split. Scores: of the model, and of what needs no training."""

    split: str
    knobs: dict
    sample_rate: float
    model: object
    gain: object
    curve: object
    through: object = None  # of the runtime's own rendering
    difference: float = 0.0  # between that and the model's output: the largest of any sample
    worst: tuple = (0.0, "", 0.0)  # the loudest error: its height, clip, second

    def hear(self, pair, output):
        wet = np.asarray(pair.wet)
        self.model.add(output, wet)
        error = np.abs(output - wet)
        if len(error):
            at = int(np.argmax(error))
            self.worst = max(self.worst, (float(error[at]), pair.name, at / self.sample_rate))

    def hear_through(self, pair, output, rendered):
        self.through = self.through or Scores()
        self.through.add(rendered, np.asarray(pair.wet))
        self.difference = max(self.difference, float(np.max(np.abs(rendered - output), initial=0.0)))


def measure(model, dataset, splits, runtime=None, shown=lambda done: None):
    """-> [Row] for every split and setting of the knobs"""
    rows = []
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


def mean(rows, name, metric):
    """-> a metric of all rows' model, gain, curve or through: its mean over the settings of the knobs"""
    return float(np.mean([getattr(getattr(row, name), metric) for row in rows]))


def together(rows, name):
    """-> Scores of all rows' model, gain, curve or through, loud settings for more than quiet ones"""
    total = Scores()
    for row in rows:
        total += getattr(row, name)
    return total


def play(model, pairs):
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


def _alike(pairs):
    """-> lists of at most ROWS pairs of one length, fewer of long ones"""
    lengths = {}
    for pair in pairs:
        lengths.setdefault(len(pair.dry), []).append(pair)
    groups = []
    for length, group in lengths.items():
        rows = max(1, min(ROWS, MOST_SAMPLES // max(1, length)))
        groups += [group[at : at + rows] for at in range(0, len(group), rows)]
    return groups
