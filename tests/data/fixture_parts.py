"""Shared by the makers of test fixtures: knobs that move like the engine's, sounds, random layers, and files.
Nothing here depends on a model. The makers run with tools/ on PYTHONPATH.

    FAMILY-NAME.safetensors   weights
    FAMILY-NAME.json          start (first stream sample), moves [frame, knob, value, smooth_ms]
    FAMILY-NAME.expected.f32  output, 32-bit floats, little-endian
    FAMILY-input.f32          input of all fixtures of a family, mono"""

import json
import os
import sys

import numpy as np
from gainstage_files.model_file import control, metadata, write  # noqa: F401  the makers take control

HERE = os.path.dirname(os.path.abspath(__file__))

CELL = 16  # samples of the control grid


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


# -------------------------------------------------------------------------------- knobs


class Knob:
    """A value and its target: a straight line over `length` samples from `begin`."""

    def __init__(self, value):
        self.begin, self.length, self.old, self.new = 0, 0, value, value

    def at(self, t):
        if t >= self.begin + self.length:
            return self.new
        return self.old + (self.new - self.old) * (t - self.begin) / self.length

    def move(self, t, value, length):
        self.old, self.new, self.begin, self.length = self.at(t), value, t, length


def moving_knobs(controls, start, moves, frames, rate):
    """For each sample: its time, whether a knob steps there, and heard(t), the network's input from the knobs
    at t."""
    knobs = [Knob(c["default"]) for c in controls]
    names = [c["name"] for c in controls]

    def heard(t):
        return np.array(
            [k.at(t) * c["to_model"]["scale"] + c["to_model"]["offset"] for k, c in zip(knobs, controls)]
        )

    for frame in range(frames):
        t, stepped = start + frame, False
        for _, name, value, ms in [m for m in moves if m[0] == frame]:
            knobs[names.index(name)].move(t, value, round(ms * rate / 1000))
            stepped |= ms == 0
        yield t, stepped, heard


def on_grid(network, controls, start, moves, frames, rate):
    """The output of `network(input) -> array`, a row for each sample. While knobs move, it is evaluated at
    every 16th sample of the stream, and its values reach the result 16 samples later; after a step, and at
    the start, at once."""
    rows, left, right = [], None, None
    for t, stepped, heard in moving_knobs(controls, start, moves, frames, rate):
        if left is None or stepped:
            left = right = network(heard(t))
        elif t % CELL == 0:
            left, right = right, network(heard(t))
        rows.append(left + (right - left) * (t % CELL) / CELL)
    return np.array(rows)


# -------------------------------------------------------------------------------- sound


def test_input(frames, rate):
    """Three notes of different loudness over a little noise, then nearly nothing."""
    random, t = np.random.default_rng(11), np.arange(frames) / rate
    x = 0.002 * random.standard_normal(frames)
    for begin, end, hz, level in (
        (100, 700, 441.0, 0.9),
        (700, 1300, 660.0, 0.15),
        (1300, 2000, 1234.5, 0.7),
    ):
        x[begin:end] += level * np.sin(2 * np.pi * hz * t[: end - begin]) * np.exp(-t[: end - begin] * 40.0)
    return x.astype("<f4")


# -------------------------------------------------------------------------------- files


def as_stored(weights):
    """The weights as a reader of the file gets them: rounded to floats."""
    return {n: np.asarray(v, dtype=np.float32).astype(np.float64) for n, v in weights.items()}


def save_input(family, x):
    x.tofile(os.path.join(HERE, f"{family}-input.f32"))


def save(family, name, weights, expected, start, moves, keys):
    """`keys`: the file's metadata."""
    path = os.path.join(HERE, f"{family}-{name}")
    write(path + ".safetensors", weights, keys)
    expected.astype("<f4").tofile(path + ".expected.f32")
    with open(path + ".json", "w", encoding="utf-8") as file:
        json.dump({"start": start, "moves": moves}, file)
        file.write("\n")


def of_random_weights(architecture, config, rate, controls, **facts):
    """-> the metadata of a fixture that the running program makes"""
    maker = os.path.basename(sys.argv[0])
    source = f"random weights, made by {maker}"
    return metadata(architecture, config, rate, controls, **facts, license="MIT", source=source)
