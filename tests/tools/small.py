"""A small data set and a small model, for tests of what is around them."""

import numpy as np
import torch

from gainstage_train.data.pairs import Dataset, Pair
from gainstage_train.models.model import Model

RATE = 48000
CONTROLS = [
    {
        "name": "amount",
        "unit": "",
        "min": 0,
        "max": 1,
        "default": 0.5,
        "to_model": {"scale": 2.0, "offset": -1.0},
    }
]


def bursts(seconds, seed, rate=RATE):
    """Decaying notes of chance pitches and levels, four a second."""
    chance = np.random.default_rng(seed)
    out, note = np.zeros(int(seconds * rate)), rate // 4
    time = np.arange(note) / rate
    for begin in range(0, len(out) - note + 1, note):
        level, pitch = 10 ** (chance.uniform(-30, -3) / 20), chance.uniform(80, 900)
        out[begin : begin + note] = level * np.exp(-4 * time) * np.sin(2 * np.pi * pitch * time)
    return out.astype(np.float32)


def softened(dry, amount):
    """A curve without memory, the louder the lower."""
    return (dry / (1 + 4 * amount * np.abs(dry))).astype(np.float32)


def dataset(seconds=6.0, amounts=(0.2, 0.8), device=softened):
    pairs = [
        Pair(f"{split}-{amount}", dry, device(dry, amount), {"amount": amount}, split)
        for split, seed, length in (
            ("train", 1, seconds),
            ("validation", 2, seconds / 3),
            ("test", 3, seconds / 3),
        )
        for amount in amounts
        for dry in [bursts(length, seed)]
    ]
    return Dataset(pairs, CONTROLS, RATE, "notes made for a test, CC0")


class Curve(Model):
    """y = x / (1 + |x| a(knobs)), and a one-pole of the output that a state is carried in."""

    architecture = name = "curve"
    recipe = {
        "segment_samples": 24000,
        "batch": 4,
        "warm_samples": 2400,
        "tbptt_samples": 7200,
        "rate": 0.05,
        "loss": "esr",
    }

    def __init__(self, controls, sample_rate, start=0.5):
        super().__init__(controls, sample_rate)
        self.amount = torch.nn.Linear(len(controls), 1)
        with torch.no_grad():
            self.amount.bias.fill_(start)

    def forward(self, x, knobs, state=None):
        last = torch.zeros(len(x), 1) if state is None else state
        y = x / (1 + x.abs() * self.amount(knobs).exp())
        return y + 0.01 * torch.cat([last, y[:, :-1]], 1), y[:, -1:]

    def config(self):
        return {}

    def tensors(self):
        return {name: tensor.detach().numpy() for name, tensor in self.state_dict().items()}

    def seconds_to_forget(self):
        return 0.0

    def operations(self):
        return 5.0

    def describe(self):
        return "a curve"
