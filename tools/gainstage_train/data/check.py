"""What is wrong with recordings, found before any training: a list of sentences, each with place, cause and
remedy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .sound import Sound

SILENT = 1e-4  # a peak of -80 dB
FULL_SCALE = 0.9997  # 16 bits' largest number and above
CLIPPED_RUN = 4  # so many samples in a row at full scale are a clipped peak
CLIPPED_PEAKS = 3  # so many clipped peaks are no accident
EXCERPT = 1 << 18  # samples compared to measure an offset: 5 s
EXCERPTS = 5  # of a long recording, whose median decides: a few loud tones can look late where nothing is
LONGEST_OFFSET_S = 0.5
TOLERATED = 2  # samples of offset: a device's own phase moves the peak that far
DRIFT_EXCERPT_S = 1.5  # short, because a drifting excerpt is smeared
DRIFT_PARTS = 24  # excerpts along a recording, at most
FEWEST_DRIFT_PARTS = 6
TOLERATED_DRIFT = 0.1  # samples a second: 2 ppm at 48 kHz
SURE = 8.0  # how far a correlation's peak stands out of its noise, in standard deviations


def clipped_peaks(x: np.ndarray) -> int:
    """How many times CLIPPED_RUN or more samples in a row lie at full scale."""
    full = np.concatenate(([0], (np.abs(x) >= FULL_SCALE).astype(np.int8), [0]))
    change = np.diff(full)
    lengths = np.flatnonzero(change == -1) - np.flatnonzero(change == 1)
    return int(np.count_nonzero(lengths >= CLIPPED_RUN))


def of_sound(path: str, x: np.ndarray) -> list[str]:
    """x float32 [samples] of the file at path."""
    bad = np.flatnonzero(~np.isfinite(x))
    if bad.size:
        return [f"{path}: {bad.size} samples are NaN or infinite, the first at {bad[0]}; export it again"]
    if len(x) == 0 or np.max(np.abs(x)) < SILENT:
        return [
            f"{path}: is silent (nothing above -80 dB); check the cable and the channel, or take the pair out"
        ]
    peaks = clipped_peaks(x)
    if peaks >= CLIPPED_PEAKS:
        return [
            f"{path}: clips at full scale {peaks} times; record it at a lower level (what it learns from would be "
            "the converter's curve)"
        ]
    return []


def in_samples(samples: int, sample_rate: float) -> str:
    """How long something is, in a unit that says something: samples, and seconds where there are enough."""
    seconds = samples / sample_rate
    return f"{samples} sample{'' if samples == 1 else 's'}" + (
        f" ({seconds:.3f} s)" if seconds >= 0.0005 else ""
    )


def lengths(dry_path: str, dry: Sound, wet_path: str, wet: Sound, sample_rate: float) -> list[str]:
    if len(dry) == len(wet):
        return []
    return [
        f"{wet_path}: has {len(wet)} samples and {dry_path} {len(dry)}, {in_samples(abs(len(dry) - len(wet)), sample_rate)} "
        "apart; cut both to the same beginning and end"
    ]


def loudest(x: Sound, samples: int) -> int:
    """Where the excerpt of so many samples with the most energy begins."""
    if len(x) <= samples:
        return 0
    energy = np.cumsum(np.square(np.asarray(x, dtype=np.float64)))
    hop = samples // 4
    starts = np.arange(0, len(x) - samples, hop)
    return int(starts[np.argmax(energy[starts + samples - 1] - energy[starts])])


def offset(dry: Sound, wet: Sound, sample_rate: float) -> int | None:
    """How many samples wet lags behind dry, or None where it cannot be told (a steady tone): by the loudest
    excerpt of each part of the recording."""
    parts = min(EXCERPTS, max(1, len(dry) // EXCERPT))
    edges = [len(dry) * k // parts for k in range(parts + 1)]
    begins = [begin + loudest(dry[begin:end], EXCERPT) for begin, end in zip(edges, edges[1:])]
    found = [
        offset_of_excerpt(dry[begin : begin + EXCERPT], wet[begin : begin + EXCERPT], sample_rate)
        for begin in begins
    ]
    known = sorted(value for value in found if value is not None)
    return known[len(known) // 2] if known else None


def offset_of_excerpt(dry: np.ndarray, wet: np.ndarray, sample_rate: float) -> int | None:
    """In whole samples, or None."""
    found = correlated(dry, wet, sample_rate)
    return None if found is None else found[0]


def correlated(dry: np.ndarray, wet: np.ndarray, sample_rate: float) -> tuple[int, float] | None:
    """-> (lag in samples, the same between samples), or None. Correlates the phases alone between 200 Hz and
    8 kHz (PHAT): levels, and so compression, don't matter, nor does polarity."""
    a, b = (np.asarray(x, dtype=np.float64) for x in (dry, wet))
    size = 2 * max(len(a), len(b))
    size = 1 << (size - 1).bit_length()
    window = np.hanning(len(a))
    dry_bins, wet_bins = np.fft.rfft(a * window, size), np.fft.rfft(b * window, size)
    hertz = np.fft.rfftfreq(size, 1.0 / sample_rate)
    strength = np.abs(dry_bins)
    band = (hertz > 200.0) & (hertz < min(8000.0, 0.45 * sample_rate)) & (strength > 1e-3 * np.max(strength))
    cross = np.where(band, wet_bins * np.conj(dry_bins), 0.0)
    correlation = np.fft.irfft(cross / np.maximum(np.abs(cross), 1e-20), size)
    reach = min(int(LONGEST_OFFSET_S * sample_rate), len(a) - 1)
    around = np.abs(np.concatenate((correlation[-reach:], correlation[: reach + 1])))
    place = int(np.argmax(around))
    if around[place] < SURE * np.sqrt(np.mean(around**2)):
        return None
    return place - reach, place - reach + vertex(around, place)


def vertex(y: np.ndarray, place: int) -> float:
    """Where the parabola through a peak and its neighbours has its top, -0.5..0.5 from the peak."""
    if not 0 < place < len(y) - 1:
        return 0.0
    before, top, after = y[place - 1 : place + 2]
    bend = before - 2.0 * top + after
    return float(0.5 * (before - after) / bend) if bend < 0.0 else 0.0


@dataclass
class Drift:
    """wet, recorded by another clock, falls behind dry: by `begin` samples at the first, and by `slope` more
    each sample."""

    begin: float
    slope: float

    def text(self, sample_rate: float) -> str:
        return f"{1e6 * self.slope:+.1f} ppm, {self.slope * sample_rate:+.2f} samples a second"


def drift(
    dry: Sound, wet: Sound, sample_rate: float, parts: int = DRIFT_PARTS, window_s: float | None = None
) -> Drift | None:
    """-> Drift beyond what is tolerated, or None: none, or it can't be told (short recordings, steady tones).
    A line through the lags of excerpts along the recording, one from each of so many parts, of which some may
    be wrong (Theil-Sen). window_s: how much of each part is looked at to choose its excerpt (all), for
    recordings that are read where they are sliced.
    """
    size = int(DRIFT_EXCERPT_S * sample_rate)
    window = max(size, int(window_s * sample_rate)) if window_s else len(dry)
    parts = min(parts, len(dry) // size if size else 0)
    if parts < FEWEST_DRIFT_PARTS:
        return None
    edges = [len(dry) * k // parts for k in range(parts + 1)]
    begins = [
        begin + loudest(dry[begin : min(end, begin + window)], size) for begin, end in zip(edges, edges[1:])
    ]
    found = [
        (begin + size / 2.0, correlated(dry[begin : begin + size], wet[begin : begin + size], sample_rate))
        for begin in begins
    ]
    known = [(at, lag[1]) for at, lag in found if lag is not None]
    if len(known) < FEWEST_DRIFT_PARTS:
        return None
    at, lag = (np.array(values) for values in zip(*known))
    first, second = np.triu_indices(len(at), 1)
    slope = float(np.median((lag[second] - lag[first]) / (at[second] - at[first])))
    begin = float(np.median(lag - slope * at))
    scatter = float(np.median(np.abs(lag - slope * at - begin)))
    is_sure = abs(slope) * (at[-1] - at[0]) > max(1.0, 6.0 * scatter)
    return Drift(begin, slope) if is_sure and abs(slope) * sample_rate > TOLERATED_DRIFT else None


def of_drifts(names: list[str], drifts: list[Drift | None], sample_rate: float) -> list[str]:
    return [
        f"{name}: wet drifts away from dry by {each.text(sample_rate)}: it was recorded by another clock; --align resamples it"
        for name, each in zip(names, drifts)
        if each is not None
    ]


TAPS, PHASES = 64, 1024


def kernels() -> np.ndarray:
    """A Kaiser-windowed sinc at PHASES + 1 places between two samples, [PHASES + 1, TAPS]."""
    offset = np.arange(TAPS) - TAPS // 2 + 1 - np.arange(PHASES + 1)[:, None] / PHASES
    window = np.i0(10.0 * np.sqrt(np.maximum(0.0, 1.0 - (offset / (TAPS // 2)) ** 2))) / np.i0(10.0)
    table = np.sinc(offset) * window
    return table / table.sum(axis=1, keepdims=True)


def at_places(x: np.ndarray, places: np.ndarray) -> np.ndarray:
    """x between its samples: float32 at every place (in samples, rising), 0 beyond its ends."""
    table = kernels()
    padded = np.concatenate((np.zeros(TAPS), np.asarray(x, dtype=np.float64), np.zeros(TAPS)))
    out = np.empty(len(places), dtype=np.float32)
    for begin in range(0, len(places), 1 << 15):
        place = np.clip(places[begin : begin + (1 << 15)], -TAPS // 2, len(x) + TAPS // 2 - 1)
        whole = np.floor(place).astype(np.int64)
        phase = (place - whole) * PHASES
        row = np.minimum(phase.astype(np.int64), PHASES - 1)
        share = (phase - row)[:, None]
        weights = table[row] * (1.0 - share) + table[row + 1] * share
        taps = padded[(whole + TAPS - TAPS // 2 + 1)[:, None] + np.arange(TAPS)]
        out[begin : begin + (1 << 15)] = np.einsum("ij,ij->i", weights, taps)
    return out


def without_drift(dry: np.ndarray, wet: np.ndarray, found: Drift) -> tuple[np.ndarray, np.ndarray]:
    """Both without drift and offset: wet resampled to the places where dry's samples are in it, what has no
    counterpart left out."""
    places = np.arange(len(dry)) * (1.0 + found.slope) + found.begin
    there = np.flatnonzero((places >= 0.0) & (places <= len(wet) - 1))
    if not len(there):
        return dry, wet
    first, last = int(there[0]), int(there[-1]) + 1
    return dry[first:last], at_places(wet, places[first:last])


def of_offsets(names: list[str], offsets: list[int | None], sample_rate: float) -> tuple[list[str], int]:
    """names of the pairs; offsets in samples, None where unknown. -> (sentences, the delay that all share or
    0)"""
    known = [value for value in offsets if value is not None]
    late = [value for value in known if abs(value) > TOLERATED]
    if not late:
        return [], 0
    common = int(np.median(known))
    if all(abs(value - common) <= TOLERATED for value in known):
        return [
            f"wet lags {common} samples ({1e3 * common / sample_rate:.2f} ms) behind dry in all {len(known)} pairs "
            "that can be compared; --align takes it out"
        ], common
    return [
        f"{name}: wet lags {value} samples ({1e3 * value / sample_rate:.2f} ms) behind dry; move it so that both "
        "begin together"
        for name, value in zip(names, offsets)
        if value is not None and abs(value) > TOLERATED
    ], 0


def shifted(dry: np.ndarray, wet: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Both without what has no counterpart; wet was `lag` samples late."""
    if lag > 0:
        return dry[: len(dry) - lag], wet[lag:]
    return (dry[-lag:], wet[: len(wet) + lag]) if lag < 0 else (dry, wet)
