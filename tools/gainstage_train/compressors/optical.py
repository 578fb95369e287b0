"""An optical compressor in the manner of the LA-2A and the CL 1B: not a copy of either, but a device with
their controls and their published behaviour, to learn from.

    dry -> attenuator (photocell) -> coupling capacitor -> tube stage -> coupling capacitor -> wet
        \\-> sidechain gain -> panel's light -> photocell --^

Sources: LA-2A: attack 10 ms on average; release about 60 ms to 50 %, the rest 0.5 to 5 s by the previous
programme (Universal Audio's manual; Wikipedia, "LA-2A Leveling Amplifier"); slower the harder and the longer
it worked (Simionato & Fasciani, DAFx 2023, section 2.3). CL 1B (Lydkraft's manual): the threshold is where
the gain is reduced by 1 dB, -40 to +20 dBu; ratio 2:1 to 10:1; attack 0.5 to 300 ms; release 0.05 to 10 s.

The sidechain listens to the input (feed-forward). The LA-2A listens to its own output; fed forward, the
static curve is a formula, times are what the constants say at every level, and nothing depends on the delay
of a loop, so that the device is the same at every sample rate. The soft knee stands for what feed-back does
to the curve.

Everything is deterministic and smooth, without noise. It holds at any rate; the tube's harmonics are made at
twice it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from scipy import signal

FULL_SCALE_DBU = 20.0  # the level of a digital peak of 1.0 on the CL 1B's dials
QUIETEST = 1e-6  # -120 dB, the level given to silence


@dataclass(frozen=True)
class Cell:
    """A photocell between light and gain: two stages that add up, both in dB of gain reduction.

    Both rise with `attack_s`. When light falls, the first lets go of its part with `first_release_s`; the
    second of `second_part` with a time constant that moves from `second_shortest_s` to `second_longest_s`
    (evenly in its logarithm) with the history, 0..1: a one-pole of `history_s` on 1 - exp(-reduction /
    history_db)."""

    attack_s: float
    first_release_s: float
    second_shortest_s: float
    second_longest_s: float
    second_part: float = 0.54
    history_s: float = 1.2
    history_db: float = 6.0


@dataclass(frozen=True)
class Curve:
    """The light's static effect: reduction = (1 - 1/ratio) knee_db ln(1 + exp((level - threshold_db) /
    knee_db))."""

    threshold_db: float  # where the straight parts would meet, dB of full scale
    ratio: float
    knee_db: float

    def reduction_db(self, level_db: float | np.ndarray) -> float | np.ndarray:
        over = (level_db - self.threshold_db) / self.knee_db
        return (1.0 - 1.0 / self.ratio) * self.knee_db * np.logaddexp(0.0, over)


@dataclass(frozen=True)
class Tube:
    """y = (tanh(drive x + bias) - tanh(bias)) / slope at 0: harmonics that grow with the level, even ones
    from the bias; between coupling capacitors."""

    drive: float = 1.5
    bias: float = 0.35
    coupling_hz: float = 8.0


TUBE = Tube()
LA2A_KNEE_DB, LA2A_RATIOS, LA2A_LOWEST_DB, LA2A_TAPER = 5.0, (8.0, 20.0), -50.0, 1.2
LA2A_CELL = Cell(attack_s=0.010, first_release_s=0.020, second_shortest_s=0.5, second_longest_s=2.2)
CL1B_KNEE_DB = 3.0


def la2a_curve(peak_reduction: float, limit: int = 0) -> Curve:
    """peak_reduction 0..100: the sidechain's gain, a potentiometer's taper, so 0 is no light at all and 100
    puts the threshold at -50 dB. limit 0 (compress) or 1."""
    taper = (peak_reduction / 100.0) ** LA2A_TAPER
    threshold = LA2A_LOWEST_DB - 20.0 * np.log10(taper) if taper > 0.0 else np.inf
    return Curve(threshold, LA2A_RATIOS[int(round(limit))], LA2A_KNEE_DB)


def cl1b_curve(threshold_dbu: float, ratio: float) -> Curve:
    """The threshold on the dial is where the gain is reduced by 1 dB."""
    one_db = np.log(np.expm1(1.0 / ((1.0 - 1.0 / ratio) * CL1B_KNEE_DB))) * CL1B_KNEE_DB
    return Curve(threshold_dbu - FULL_SCALE_DBU - one_db, ratio, CL1B_KNEE_DB)


def cl1b_cell(attack_ms: float, release_s: float) -> Cell:
    """The dials set the time constants; the release is that of the dial after moderate work, and between half
    and one and a half times as long by history. The first stage is the cell's own."""
    return Cell(
        attack_s=attack_ms * 1e-3,
        first_release_s=min(0.020, release_s / 2.0),
        second_part=0.75,
        second_shortest_s=release_s / 2.0,
        second_longest_s=release_s * 1.5,
    )


@numba.njit(cache=True)
def _cell(
    wanted_db: Any,
    attack: Any,
    first_release: Any,
    second_part: Any,
    shortest_samples: Any,
    log_span: Any,
    history_rate: Any,
    history_db: Any,
) -> Any:
    out = np.empty_like(wanted_db)
    first = second = history = 0.0
    for i in range(wanted_db.size):
        first_wanted = (1.0 - second_part) * wanted_db[i]
        second_wanted = second_part * wanted_db[i]
        first += (attack if first_wanted > first else first_release) * (first_wanted - first)
        release = 1.0 / (shortest_samples * np.exp(log_span * history))
        second += (attack if second_wanted > second else -np.expm1(-release)) * (second_wanted - second)
        reduction = first + second
        history += history_rate * (1.0 - np.exp(-reduction / history_db) - history)
        out[i] = reduction
    return out


def cell_reduction(wanted_db: np.ndarray, sample_rate: float, cell: Cell) -> np.ndarray:
    """What the light asks for, dB [samples], -> what the cell gives."""

    def step(tau_s: float) -> float:
        return -np.expm1(-1.0 / (tau_s * sample_rate))

    return _cell(
        np.asarray(wanted_db, dtype=np.float64),
        step(cell.attack_s),
        step(cell.first_release_s),
        cell.second_part,
        cell.second_shortest_s * sample_rate,
        np.log(cell.second_longest_s / cell.second_shortest_s),
        step(cell.history_s),
        cell.history_db,
    )


def reduction_db(x: np.ndarray, sample_rate: float, curve: Curve, cell: Cell) -> np.ndarray:
    """The gain reduction over time, dB >= 0, float64 [samples]."""
    level = 20.0 * np.log10(np.maximum(np.abs(np.asarray(x, dtype=np.float64)), QUIETEST))
    return cell_reduction(np.asarray(curve.reduction_db(level)), sample_rate, cell)


def couple(x: np.ndarray, sample_rate: float, cutoff_hz: float) -> np.ndarray:
    """A coupling capacitor: a high-pass of first order (bilinear, corner exact)."""
    if cutoff_hz <= 0.0:
        return x
    numerator, denominator = signal.butter(1, cutoff_hz, "highpass", fs=sample_rate)
    return signal.lfilter(numerator, denominator, x)


def colour(x: np.ndarray, sample_rate: float, tube: Tube = TUBE) -> np.ndarray:
    """The tube stage. Only what it adds is made at twice the rate: the signal itself passes without delay or
    ripple."""

    def added(v: np.ndarray) -> np.ndarray:
        offset = np.tanh(tube.bias)
        return (np.tanh(tube.drive * v + tube.bias) - offset) / (tube.drive * (1.0 - offset**2)) - v

    v = couple(np.asarray(x, dtype=np.float64), sample_rate, tube.coupling_hz)
    v = v + signal.resample_poly(added(signal.resample_poly(v, 2, 1)), 1, 2)[: len(v)]
    return couple(v, sample_rate, tube.coupling_hz)


def _through(x: np.ndarray, sample_rate: float, curve: Curve, cell: Cell, tube: Tube) -> np.ndarray:
    gain = 10.0 ** (-reduction_db(x, sample_rate, curve, cell) / 20.0)
    return colour(x * gain, sample_rate, tube).astype(np.float32)


def la2a(
    x: np.ndarray, sample_rate: float, peak_reduction: float, limit: int = 0, tube: Tube = TUBE
) -> np.ndarray:
    """x [samples], full scale 1 -> float32 [samples]. peak_reduction 0..100, limit 0/1; the gain dial stays
    at 0 dB."""
    return _through(x, sample_rate, la2a_curve(peak_reduction, limit), LA2A_CELL, tube)


def cl1b(
    x: np.ndarray,
    sample_rate: float,
    threshold_dbu: Any,
    ratio: Any,
    attack_ms: Any,
    release_s: Any,
    tube: Any = TUBE,
) -> Any:
    """x [samples], full scale 1 (+20 dBu) -> float32 [samples]. threshold_dbu -40..20, ratio 2..10, attack_ms
    0.5..300, release_s 0.05..10; the gain dial stays at 0 dB."""
    return _through(x, sample_rate, cl1b_curve(threshold_dbu, ratio), cl1b_cell(attack_ms, release_s), tube)
