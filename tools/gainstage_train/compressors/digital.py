"""The digital compressor of the grey-box paper's toy problem (Wright & Valimaki, DAFx 2022, sections 2 and
4): a knee (equations 1 and 2), a one-pole with separate attack and release on the gain in decibels (equation
6), no make-up. The same structure as the runtime's grey box, so a model can recover its constants exactly."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

QUIETEST_DB = -80.0  # level given to silence; the paper's gain lies in -80..0 dB


def level_db(x: np.ndarray) -> np.ndarray:
    """|x| in dB relative to full scale, not below QUIETEST_DB."""
    return 20.0 * np.log10(np.maximum(np.abs(np.asarray(x, dtype=np.float64)), 10.0 ** (QUIETEST_DB / 20.0)))


def hard_knee(level: np.ndarray, threshold_db: float, ratio: float) -> np.ndarray:
    """Equation 1 as a gain: dB to be added to `level` (any shape), 0 below the threshold and negative
    above."""
    return (1.0 / ratio - 1.0) * np.maximum(level - threshold_db, 0.0)


def soft_knee(level: np.ndarray, threshold_db: float, ratio: float, knee_db: float) -> np.ndarray:
    """Equation 2 as a gain in dB; the paper prints the square over the whole fraction, its reference [1] (and
    continuity) has (x - T + W/2)^2 over 2 W."""
    if knee_db <= 0.0:
        return hard_knee(level, threshold_db, ratio)
    over = np.clip(level - threshold_db + knee_db / 2.0, 0.0, knee_db)
    return (1.0 / ratio - 1.0) * (
        over**2 / (2.0 * knee_db) + np.maximum(level - threshold_db - knee_db / 2.0, 0.0)
    )


@numba.njit(cache=True)
def switching_one_pole(target_db: Any, attack_coefficient: Any, release_coefficient: Any) -> Any:
    """Equation 6 on a gain (<= 0 dB) from the state 0 dB: attack while more reduction is wanted than is
    there."""
    out = np.empty_like(target_db)
    state = 0.0
    for i in range(target_db.size):
        alpha = attack_coefficient if target_db[i] < state else release_coefficient
        state = alpha * state + (1.0 - alpha) * target_db[i]
        out[i] = state
    return out


def coefficient(tau_s: float, sample_rate: float) -> float:
    """Equation 5: a one-pole's coefficient from its time constant in seconds."""
    return float(np.exp(-1.0 / (tau_s * sample_rate)))


def gain_db(
    x: np.ndarray,
    sample_rate: float,
    threshold_db: float,
    ratio: float,
    attack_ms: float = 20.0,
    release_ms: float = 50.0,
    knee_db: float = 0.0,
) -> np.ndarray:
    """The gain over time in dB, float64 [samples]."""
    wanted = soft_knee(level_db(x), threshold_db, ratio, knee_db)
    return switching_one_pole(
        wanted, coefficient(attack_ms * 1e-3, sample_rate), coefficient(release_ms * 1e-3, sample_rate)
    )


def compress(
    x: np.ndarray,
    sample_rate: float,
    threshold_db: float,
    ratio: float,
    attack_ms: float = 20.0,
    release_ms: float = 50.0,
    knee_db: float = 0.0,
) -> np.ndarray:
    """x [samples], full scale 1 -> float32 [samples]; no latency, at any rate."""
    gain = gain_db(x, sample_rate, threshold_db, ratio, attack_ms, release_ms, knee_db)
    return (x * 10.0 ** (gain / 20.0)).astype(np.float32)
