"""Test signals for a compressor, float64 [samples], peak 1 where nothing else is said: tones, bursts, sweeps,
steps."""

from __future__ import annotations

import numpy as np

from . import noise

EDGE_S = 0.002  # raised-cosine edges, so that a burst is no click


def edges(x: np.ndarray, sample_rate: float, seconds: float = EDGE_S) -> np.ndarray:
    """Fades both ends of x, in place."""
    n = min(int(seconds * sample_rate), len(x) // 2)
    if n > 0:
        ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n)
        x[:n] *= ramp
        x[-n:] *= ramp[::-1]
    return x


def tone(sample_rate: float, seconds: float, hertz: float, phase: float = 0.0) -> np.ndarray:
    return np.sin(2.0 * np.pi * hertz * np.arange(int(seconds * sample_rate)) / sample_rate + phase)


def sweep(sample_rate: float, seconds: float, low_hz: float = 30.0, high_hz: float = 12000.0) -> np.ndarray:
    """Exponential sweep."""
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    span = np.log(high_hz / low_hz)
    return np.sin(2.0 * np.pi * low_hz * seconds / span * np.expm1(t / seconds * span))


def steps(x: np.ndarray, sample_rate: float, levels_db: np.ndarray, seconds_each: float) -> np.ndarray:
    """x multiplied by a stair of levels, with short slopes between them; the last level stays."""
    places = np.arange(len(x)) / (seconds_each * sample_rate)
    index = np.minimum(places.astype(int), len(levels_db) - 1)
    gain = 10.0 ** (np.asarray(levels_db)[index] / 20.0)
    width = max(int(EDGE_S * sample_rate), 1)
    return (
        x
        * np.convolve(np.pad(gain, (width, 0), mode="edge"), np.full(width, 1.0 / width), mode="same")[width:]
    )


def bursts(
    random: np.random.Generator, sample_rate: float, seconds: float, carrier: np.ndarray
) -> np.ndarray:
    """`carrier` [samples] gated into bursts of 5 to 400 ms, each of its own level (-30..0 dB), with pauses
    between."""
    out = np.zeros(int(seconds * sample_rate))
    place = 0
    while place < len(out):
        n = min(int(np.exp(random.uniform(np.log(0.005), np.log(0.4))) * sample_rate), len(out) - place)
        piece = carrier[place : place + n] * 10.0 ** (random.uniform(-30.0, 0.0) / 20.0)
        out[place : place + n] = edges(piece, sample_rate)
        place += n + int(np.exp(random.uniform(np.log(0.01), np.log(0.6))) * sample_rate)
    return out


def any_signal(random: np.random.Generator, sample_rate: float, seconds: float) -> np.ndarray:
    """One of the kinds above with drawn frequencies and levels, peak at most 1."""
    hertz = np.exp(random.uniform(np.log(40.0), np.log(4000.0)))
    kind = random.choice(["steps", "bursts", "chord", "sweep", "noise"])
    if kind == "sweep":
        return sweep(sample_rate, seconds)
    if kind == "noise":
        x = noise.pink(random, int(seconds * sample_rate), -12.0).astype(np.float64)
        return edges(np.clip(x, -1.0, 1.0), sample_rate)
    x = tone(sample_rate, seconds, hertz)
    if kind == "chord":
        x = (
            x + tone(sample_rate, seconds, hertz * 1.5, 1.0) + tone(sample_rate, seconds, hertz * 2.52, 2.0)
        ) / 3.0
    if kind == "bursts":
        return bursts(random, sample_rate, seconds, x)
    return steps(x, sample_rate, random.uniform(-30.0, 0.0, size=max(int(seconds / 0.4), 1)), 0.4)
