"""How long an S6 network remembers. Its states decay by amounts that depend on the sound, so it is measured:
the network plays probes from two starts, silence and loud noise, until the gains agree. Formulas:
nodes/models/s6/s6_weights.hpp."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gainstage_files.model_file import LONGEST_MEMORY_S
from .memory import SOUND_TOLERANCE

PROBE_S = 0.25
LEVELS_DB = (-200.0, -60.0, -45.0)  # some published weights run away from louder sound
BEFORE_S, BEFORE_DB = 0.1, -35.0


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0)))


class Network:
    """Rows of sound (row, sample) played side by side; all but the recurrences at once."""

    def __init__(self, tensors: dict[str, np.ndarray], config: dict[str, Any]) -> None:
        self.w, self.as_trained = tensors, config["meaning"] == "as_trained"
        self.lag = config["batch"] if self.as_trained else 1
        self.act: Callable[[np.ndarray], np.ndarray] = np.tanh
        if config["activation"] == "gelu":
            self.act = gelu

    def dense(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.w[name + ".weight"].T + self.w.get(name + ".bias", 0.0)

    def windows(self, x: np.ndarray) -> np.ndarray:
        size = self.w["input.weight"].shape[1]
        padded = np.concatenate([np.zeros((len(x), size - 1)), x], axis=1)
        return np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)

    def ssm(self, x: np.ndarray, name: str) -> np.ndarray:
        w = {key[len(name) + 1 :]: value for key, value in self.w.items() if key.startswith(name + ".")}
        u, gate = x, np.ones(1)
        if "in.weight" in w:
            a, gate = np.split(x @ w["in.weight"].T, 2, axis=-1)
            taps = w["conv.weight"].shape[1]
            past = np.concatenate([np.zeros((len(a), taps - 1, a.shape[2])), a], axis=1)
            old = taps - 1 if self.as_trained else 0
            c = (
                sum(w["conv.weight"][:, j] * past[:, j : j + a.shape[1]] for j in range(old, taps))
                + w["conv.bias"]
            )
            u, gate = c * sigmoid(c), gate * sigmoid(gate)
        decay, rank = -np.exp(w["a_log"]), w["dt.weight"].shape[1]
        r, b, c = np.split(u @ w["x.weight"].T, [rank, rank + decay.shape[1]], axis=-1)
        delta = np.logaddexp(0.0, r @ w["dt.weight"].T + w["dt.bias"])
        h, s = np.zeros((len(u), *decay.shape)), np.empty_like(u)
        for t in range(u.shape[1]):
            drive = (delta[:, t] * u[:, t])[:, :, None] * b[:, t, None, :]
            h = drive if self.as_trained else np.exp(delta[:, t, :, None] * decay) * h + drive
            s[:, t] = (h * c[:, t, None, :]).sum(-1)
        return ((s + w["skip"] * u) * gate) @ w["out.weight"].T + w["out.bias"]

    def glu(self, x: np.ndarray, name: str) -> np.ndarray:
        out, gate = np.split(self.dense(x, name), 2, axis=-1)
        return out * gate / (1.0 + np.abs(gate))

    def hidden(self, x: np.ndarray) -> np.ndarray:
        """States of the GRU, for rows of its input."""
        w, units = self.w, self.w["temporal.weight_hh"].shape[1]
        gi, out = x @ w["temporal.weight_ih"].T + w["temporal.bias_ih"], np.zeros((*x.shape[:2], units))
        for t in range(0, x.shape[1], self.lag):  # within the lag no step needs another
            part = gi[:, t : t + self.lag]
            h = (
                out[:, t - self.lag : t - self.lag + part.shape[1]]
                if t
                else np.zeros((len(x), part.shape[1], units))
            )
            gh = h @ w["temporal.weight_hh"].T + w["temporal.bias_hh"]
            rz = sigmoid(part[..., : 2 * units] + gh[..., : 2 * units])
            new = np.tanh(part[..., 2 * units :] + rz[..., :units] * gh[..., 2 * units :])
            out[:, t : t + self.lag] = new + rz[..., units:] * (h - new)
        return out

    def features(self, windows: np.ndarray) -> np.ndarray:
        points = 2 * self.w["features.weight"].shape[1] - 1
        return self.dense(np.abs(np.fft.rfft(windows, points, axis=-1)), "features")

    def gains(self, x: np.ndarray, controls: np.ndarray) -> np.ndarray:
        """`controls`: their values, held."""
        windows = self.windows(x)
        v = self.act(self.dense(self.ssm(self.dense(windows, "input"), "ssm.0"), "mix.0"))
        features = np.zeros((*x.shape, 0))
        if "features.weight" in self.w:
            features = np.concatenate(
                [self.features(windows[:, t : t + 512]) for t in range(0, x.shape[1], 512)], axis=1
            )
        first = self.w["film.weight"].shape[1] - features.shape[-1]
        held = np.broadcast_to(controls, (*x.shape, len(controls)))
        a, b = np.split(self.dense(np.concatenate([held[..., :first], features], -1), "film"), 2, axis=-1)
        v = self.glu(a * v + b, "film.glu")
        if "temporal.weight_hh" in self.w:
            a, b = np.split(self.hidden(np.concatenate([held[..., first:], features], -1)), 2, axis=-1)
            v = self.glu(a * v + b, "temporal.glu")
            v = self.act(self.dense(self.ssm(v, "ssm.1"), "mix.1"))
        return self.dense(v, "output")[..., 0]


def seconds(
    tensors: dict[str, np.ndarray], config: dict[str, Any], controls: int, sample_rate: float
) -> float:
    """Seconds until loud noise is forgotten to -80 dB, at most LONGEST_MEMORY_S."""
    random = np.random.default_rng(1)
    before, probe = int(BEFORE_S * sample_rate), int(PROBE_S * sample_rate)
    noise = random.standard_normal((len(LEVELS_DB), before + probe))
    noise[:, before:] *= 10.0 ** (np.array(LEVELS_DB)[:, None] / 20.0)
    loud, silent = noise.copy(), noise.copy()
    loud[:, :before] *= 10.0 ** (BEFORE_DB / 20.0)
    silent[:, :before] = 0.0
    with np.errstate(all="ignore"):
        network = Network({name: np.asarray(value, float) for name, value in tensors.items()}, config)
        gains = network.gains(np.concatenate([loud, silent]), np.full(controls, 0.5))[:, before:]
        one, other = np.split(gains, 2)
        scale = np.maximum(np.abs(one), np.abs(other)).max(axis=1, keepdims=True)
        difference = (np.abs(one - other) / np.maximum(scale, 1e-9)).max(axis=0)
    return min(LONGEST_MEMORY_S, samples_to_forget(difference) / sample_rate)


def samples_to_forget(difference: np.ndarray) -> float:
    """Until it stays below the tolerance; by the pace of its decay where that is beyond the probe's end."""
    if not np.all(np.isfinite(difference)):
        return math.inf
    quarter = len(difference) // 4
    over = np.flatnonzero(difference > SOUND_TOLERANCE)
    if not over.size or over[-1] < len(difference) - quarter:
        return over[-1] + 1 if over.size else 0
    earlier, last = difference[quarter : 2 * quarter].max(), difference[-quarter:].max()
    if last >= earlier:
        return math.inf
    return 3 * quarter + 2 * quarter * math.log(last / SOUND_TOLERANCE) / math.log(earlier / last)
