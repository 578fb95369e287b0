"""Tiny folders of recordings for the tests of the loaders."""

import os
import tempfile
import unittest

import support

support.need("numpy", "scipy", "soundfile", "numba")

import numpy as np  # noqa: E402
import soundfile  # noqa: E402

from gainstage_train import data  # noqa: E402
from gainstage_train.data import noise, signals  # noqa: E402
from gainstage_files.problem import Problem  # noqa: E402

RATE = 8000


def music(seconds=2.0, seed=1, rate=RATE):
    """Noise in bursts: broad, and different from place to place."""
    random = np.random.default_rng(seed)
    x = noise.pink(random, int(seconds * rate), -15.0)
    return np.clip(signals.bursts(random, rate, seconds, x) * 0.8, -0.9, 0.9).astype(np.float32)


def squashed(x):
    return np.tanh(3.0 * x) / 3.0


def played_late(x, late, slope):
    """x as another clock records it: by a fine grid of an FFT 16 times as long, and straight lines
    between."""
    fine = np.fft.irfft(np.pad(np.fft.rfft(x), (0, len(x) // 2 * 15)), 16 * len(x)) * 16.0
    return np.interp((np.arange(len(x)) - late) / (1.0 + slope) * 16.0, np.arange(len(fine)), fine).astype(
        np.float32
    )


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = self.folder.name

    def sound(self, name, x, rate=RATE):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        soundfile.write(path, x, rate, subtype="FLOAT")

    def text(self, name, content):
        with open(os.path.join(self.path, name), "w", encoding="utf-8") as file:
            file.write(content)

    def pair(self, dry=None, wet=None, rows="dry.wav,wet.wav,30\n", header="dry,wet,gain\n"):
        dry = music() if dry is None else dry
        self.sound("dry.wav", dry)
        self.sound("wet.wav", squashed(dry) if wet is None else wet)
        self.text("pairs.csv", header + rows)

    def refused(self, *expected, **options):
        with self.assertRaises(Problem) as caught:
            data.load(self.path, **options)
        for each in expected:
            self.assertIn(each, str(caught.exception))
        return str(caught.exception)
