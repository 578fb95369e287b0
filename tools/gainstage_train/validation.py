"""What a run is judged by while it learns: stretches of the validation recordings, side by side, always the
same ones."""

from __future__ import annotations

from typing import Any

import torch

from .data.pairs import VALIDATION, Dataset
from .losses import dc_block
from .models import Model
from .schedule import BALANCED, Schedule
from .windows import Windows, batches, play

SHORTEST_S, WARM_S = 2.0, 1.0  # of a stretch, and of what is played before it


class Validation:
    """schedule.validation_seconds of them, in as many rows as learning has."""

    def __init__(self, model: Model, dataset: Dataset, schedule: Schedule, device: str) -> None:
        self.model, self.device, self.piece = model, device, schedule.tbptt_samples
        pairs, rate = dataset.of(VALIDATION), dataset.sample_rate
        total = min(sum(len(pair.dry) for pair in pairs), schedule.validation_seconds * rate)
        body = max(total / schedule.batch, SHORTEST_S * rate, self.piece)
        body = max(1, int(min(body, max(len(pair.dry) for pair in pairs))) // self.piece) * self.piece
        warm = max(schedule.warm_samples, int(WARM_S * rate) // model.frame * model.frame)
        self.windows = Windows(pairs, model.conditioning, body, warm, schedule.balance == BALANCED)
        self.groups = batches(self.windows.some(round(total / body)), schedule.batch)

    def samples(self) -> int:
        return sum(len(places) for places in self.groups) * self.windows.body

    def played(self) -> tuple[torch.Tensor, torch.Tensor]:
        """-> (output, target) [rows, samples], as they are to be compared"""
        self.model.eval()
        played = [
            play(self.model, self.windows.batch(places, self.device), self.piece) for places in self.groups
        ]
        self.model.train()
        output, target = (torch.cat(parts) for parts in zip(*played))
        return output, target

    def plain_gain(self) -> float:
        """-> the ESR that the best gain has, one for each setting of the knobs: its mean"""
        sums: dict[Any, torch.Tensor] = {}
        for places in self.groups:
            batch = self.windows.batch(places)
            dry, wet = (
                dc_block((sound * batch.counts)[:, batch.warm :]).double() for sound in (batch.dry, batch.wet)
            )
            for row, (index, _) in enumerate(places):
                new = torch.stack([dry[row] @ wet[row], dry[row] @ dry[row], wet[row] @ wet[row]])
                setting = tuple(sorted(self.windows.pairs[index].knobs.items()))
                sums[setting] = sums.get(setting, 0.0) + new
        errors = [
            1 - float(cross * cross / (power * target).clamp_min(1e-30))
            for cross, power, target in sums.values()
        ]
        return sum(errors) / len(errors)
