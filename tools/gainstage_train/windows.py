"""Recordings as batches of streams that play side by side: for truncated back-propagation, and for
validation.

A window is `warm` samples that only bring a model's state up to date and then `body` samples that count.
Where it begins before its recording does, it is filled up with silence, which does not count.

Recordings at hard settings of a compressor are far quieter than those at soft ones, and errors would count by
their energy. So what is compared is brought to one level first, by one number for every setting of the
knobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .data.pairs import Pair
from .data.sound import Sound
from .losses import dc_block
from .models import Model
from .models.model import detach


LEVEL = 0.1  # RMS behind the DC blocker, where levels are balanced: a usual one in full scale
QUIETEST = 1e-4  # what is below is not raised further
EXCERPT, EXCERPTS = 1 << 17, 40  # samples that a level is measured from, of recordings of minutes


@dataclass
class Batch:
    dry: torch.Tensor  # [rows, warm + body]
    wet: torch.Tensor  # [rows, warm + body]
    knobs: torch.Tensor  # [rows, controls], as the network takes them
    warm: int
    # [rows, warm + body] or [rows, 1]: what output and target are multiplied by before they are compared
    counts: torch.Tensor

    def power(self) -> torch.Tensor:
        """Mean square of what the output is compared with."""
        counts = self.counts if self.counts.shape[1] == 1 else self.counts[:, self.warm :]
        return (self.wet[:, self.warm :] * counts).square().mean()


class Windows:
    """Equally long windows of pairs, over a grid that lies anew for every epoch."""

    def __init__(
        self, pairs: list[Pair], conditioning: Any, body: Any, warm: Any, balanced: bool = False
    ) -> None:
        self.pairs, self.body, self.warm = pairs, body, warm
        self.scales = balancing(pairs) if balanced else np.ones(len(pairs), np.float32)
        self.knobs = torch.stack(
            [torch.as_tensor(conditioning(pair.knobs), dtype=torch.float32).reshape(-1) for pair in pairs]
        )

    def __len__(self) -> int:
        return sum(self._windows(pair) for pair in self.pairs)

    def epoch(self, seed: int, number: int) -> Any:
        """All windows, as (pair, end) in an order by chance; the same numbers give the same again."""
        chance = np.random.default_rng((seed, number))
        places = []
        for index, pair in enumerate(self.pairs):
            slack = len(pair.dry) - self._windows(pair) * self.body
            last = len(pair.dry) - (int(chance.integers(slack + 1)) if slack > 0 else 0)
            places += [(index, last - k * self.body) for k in range(self._windows(pair))]
        return [places[at] for at in chance.permutation(len(places))]

    def some(self, count: int) -> Any:
        """At most so many windows, by chance but always the same."""
        places = self.epoch(0, 0)
        return sorted(places[: max(1, count)])

    def batch(self, places: Any, device: str = "cpu") -> Batch:
        shape = (len(places), self.warm + self.body)
        dry, wet, counts = (
            np.zeros(shape, np.float32),
            np.zeros(shape, np.float32),
            np.zeros(shape, np.float32),
        )
        for row, (index, end) in enumerate(places):
            begin = max(0, end - shape[1])
            for whole, part in ((dry, self.pairs[index].dry), (wet, self.pairs[index].wet), (counts, None)):
                whole[row, begin - end :] = 1.0 if part is None else part[begin:end]
        rows = [index for index, _ in places]
        if counts[:, self.warm :].all():
            counts = counts[:, -1:]
        counts *= self.scales[rows][:, None]
        return Batch(
            torch.from_numpy(dry).to(device),
            torch.from_numpy(wet).to(device),
            self.knobs[rows].to(device),
            self.warm,
            torch.from_numpy(counts).to(device),
        )

    def _windows(self, pair: Pair) -> int:
        return max(1, len(pair.dry) // self.body)


def balancing(pairs: list[Pair]) -> np.ndarray:
    """-> [pairs]: what brings each setting of the knobs to LEVEL"""
    settings = [tuple(sorted(pair.knobs.items())) for pair in pairs]
    energies: dict[tuple[tuple[str, float], ...], tuple[float, int]] = {}
    for setting, pair in zip(settings, pairs):
        for sound in _excerpts(pair.wet):
            blocked = dc_block(torch.from_numpy(sound)[None])
            energy, samples = energies.get(setting, (0.0, 0))
            energies[setting] = energy + float(blocked.double().square().sum()), samples + len(sound)
    return np.array(
        [LEVEL / max(QUIETEST, (energies[one][0] / energies[one][1]) ** 0.5) for one in settings], np.float32
    )


def _excerpts(sound: Sound) -> list[np.ndarray]:
    """All of it, or of a long one EXCERPTS parts, evenly spread."""
    if len(sound) <= EXCERPTS * EXCERPT:
        return [np.asarray(sound)]
    return [
        sound[begin : begin + EXCERPT] for begin in np.linspace(0, len(sound) - EXCERPT, EXCERPTS).astype(int)
    ]


def batches(places: Any, rows: Any) -> Any:
    """-> lists of at most `rows` places, as equal in length as can be."""
    count = -(-len(places) // rows)
    return [places[len(places) * k // count : len(places) * (k + 1) // count] for k in range(count)]


def pieces(model: Model, batch: Batch, piece: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Plays the batch: yields (output, target) of every `piece` samples of the body, as they are to be
    compared. The state goes from piece to piece, gradients don't; the warm part runs without them."""
    state = None
    if batch.warm:
        with torch.no_grad():
            _, state = model(batch.dry[:, : batch.warm], batch.knobs)
    for begin in range(batch.warm, batch.dry.shape[1], piece):
        here = slice(begin, begin + piece)
        output, state = model(batch.dry[:, here], batch.knobs, detach(state))
        counts = batch.counts if batch.counts.shape[1] == 1 else batch.counts[:, here]
        yield output * counts, batch.wet[:, here] * counts


def play(model: Model, batch: Batch, piece: int) -> tuple[torch.Tensor, torch.Tensor]:
    """-> (output, target) of the whole body, without gradients."""
    with torch.no_grad():
        outputs, targets = zip(*pieces(model, batch, piece))
        return torch.cat(outputs, 1), torch.cat(targets, 1)
