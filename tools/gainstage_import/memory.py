"""How long a recurrent part remembers: measured by letting it run from the two ends of its state."""

from __future__ import annotations

from typing import Any

import numpy as np

from gainstage_files.model_file import LONGEST_MEMORY_S, Control
from .cells import PIECE, cell_of

GAIN_TOLERANCE = 1.1e-5  # of a gain in units of 80 dB: 8.7e-4 dB, which changes the sound by -80 dB
SOUND_TOLERANCE = 1e-4  # -80 dBFS


def cell_outputs(
    tensors: dict[str, np.ndarray], prefix: str, inputs: np.ndarray, starts: tuple[float, float]
) -> np.ndarray:
    """Outputs (starts, count, samples) of the cell for each of `inputs` (count, samples), hidden values all
    beginning at each of `starts`."""
    cell = cell_of(
        {name: tensors[f"{prefix}.{name}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    )
    count, samples = inputs.shape
    state = np.concatenate([cell.begin(count, start) for start in starts], axis=1)
    weight, bias = (np.asarray(tensors[f"{prefix}.out.{name}"], float) for name in ("weight", "bias"))
    out = np.empty((len(starts), count, samples))
    for begin in range(0, samples, PIECE):
        part = np.tile(inputs[:, begin : begin + PIECE].T, len(starts))[:, :, None]
        said = cell.run(part, state) @ weight[0] + bias[0]
        out[:, :, begin : begin + PIECE] = said.T.reshape(len(starts), count, -1)
    return out


def last_above(difference: np.ndarray, tolerance: float) -> int:
    """How many samples it takes the slowest row of `difference` to stay within `tolerance`."""
    over = np.flatnonzero(np.abs(difference).max(axis=0) > tolerance)
    return int(over[-1]) + 1 if over.size else 0


def test_inputs(low: float, high: float, samples: int) -> np.ndarray:
    """Rest at either end and at 0, and a sound that wanders in between."""
    wander = np.random.default_rng(1).uniform(low, high, samples // 100 + 1).repeat(100)[:samples]
    return np.stack([np.full(samples, high), np.full(samples, low), np.zeros(samples), wander])


def of_cell(tensors: dict[str, np.ndarray], prefix: str, sample_rate: float, seconds: float = 1.0) -> float:
    """Seconds until two extreme starts sound alike; LONGEST_MEMORY_S where they don't within `seconds`."""
    samples = int(seconds * sample_rate)
    inputs = test_inputs(-0.5, 0.5, samples)
    ends = cell_outputs(tensors, prefix, inputs, (1.0, -1.0))
    forgotten = last_above(ends[0] - ends[1], SOUND_TOLERANCE)
    return LONGEST_MEMORY_S if forgotten >= samples else forgotten / sample_rate


def of_detector(tensors: dict[str, np.ndarray], prefix: str, sample_rate: float) -> float:
    """The same for a gain smoother whose time constants a cell chooses. Its gain starts at 80 dB, or at 0,
    with either end of the cell: from one of them the first time constants may be so short that where the gain
    began is forgotten at once.
    """
    samples = int(LONGEST_MEMORY_S * sample_rate)
    inputs = test_inputs(-1.0, 0.0, samples)
    raw = np.clip(cell_outputs(tensors, prefix, inputs, (1.0, -1.0)), -80.0, 80.0)
    alpha = np.exp(-(1.0 + np.exp(-raw)) / sample_rate)
    ends = smooth(inputs, alpha, (-1.0, 0.0))
    return last_above(ends.max(axis=0) - ends.min(axis=0), GAIN_TOLERANCE) / sample_rate


def smooth(inputs: np.ndarray, alpha: np.ndarray, starts: tuple[float, float]) -> np.ndarray:
    """inputs (count, samples) through one-poles of each of `alpha` (n, count, samples), each from each of
    `starts`. -> (n x starts, count, samples)"""
    count, samples = inputs.shape
    poles = np.ascontiguousarray(alpha.reshape(-1, samples).T)  # (samples, n x count)
    driven = (1.0 - poles) * np.tile(inputs.T, len(alpha))
    out = np.empty((samples, len(starts), poles.shape[1]))
    state = np.repeat(np.asarray(starts, float)[:, None], poles.shape[1], axis=1)
    for pole, given, said in zip(poles, driven, out):
        np.multiply(state, pole, out=said)
        said += given
        state = said
    return out.transpose(1, 2, 0).reshape(-1, count, samples)


def of_recurrent(
    tensors: dict[str, np.ndarray],
    layers: int,
    gates: int,
    controls: list[Control],
    config: dict[str, Any],
    sample_rate: float,
    seconds: float = 1.0,
    loud_seconds: float = 0.25,
) -> float:
    """Seconds until a network that has just heard something loud sounds like one that has heard nothing, with
    the knobs low, in the middle and high; LONGEST_MEMORY_S where it does not within `seconds`."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    cells = [cell_of({name: tensors[f"layers.{n}.{name}"] for name in names}) for n in range(layers)]
    low, high = (
        np.array([c[end] * c["to_model"]["scale"] + c["to_model"]["offset"] for c in controls])
        for end in ("min", "max")
    )
    places = np.stack([low, (low + high) / 2, high])
    weight, bias = (np.asarray(tensors[f"output.{name}"], float) for name in ("weight", "bias"))

    def run(inputs: np.ndarray, states: list[np.ndarray]) -> np.ndarray:
        """Each input (count, samples) at each place of the knobs. -> outputs (count x places, samples)"""
        count, samples = inputs.shape
        rows = count * len(places)
        knobs = np.broadcast_to(np.tile(places, (count, 1)), (PIECE, rows, len(controls)))
        out = np.empty((rows, samples))
        for begin in range(0, samples, PIECE):
            part = np.repeat(inputs[:, begin : begin + PIECE].T, len(places), axis=1)[:, :, None]
            part = np.concatenate([part, knobs[: len(part)]], axis=2)
            for cell, state in zip(cells, states):
                part = cell.run(part, state)
            out[:, begin : begin + PIECE] = (part @ weight[0] + bias[0]).T
        return out

    quiet = test_inputs(-0.5, 0.5, int(seconds * sample_rate))
    loud = test_inputs(-1.0, 1.0, int(loud_seconds * sample_rate))[[2, 0, 1, 3]]
    sounds, count = len(loud), len(quiet) * len(places)
    rows = (np.arange(sounds) * len(places)).repeat(count) + np.tile(
        np.arange(len(places)), sounds * len(quiet)
    )
    states = [cell.begin(sounds * len(places)) for cell in cells]
    run(loud, states)
    # Each quiet input plays once from rest, in the place of the first loud one, and once after each of the
    # others.
    for state in states:
        state[:, : len(places)] = 0.0
    out = run(np.tile(quiet, (sounds, 1)), [state[:, rows] for state in states]).reshape(sounds, count, -1)
    out = np.tanh(out, out=out) if config["final_tanh"] == "tanh" else out
    forgotten = max(last_above(row - out[0], SOUND_TOLERANCE) for row in out[1:])
    return LONGEST_MEMORY_S if forgotten >= quiet.shape[1] else forgotten / sample_rate
