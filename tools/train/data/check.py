"""What is wrong with recordings, found before any training: a list of sentences, each with place, cause and remedy."""

import numpy as np

SILENT = 1e-4          # a peak of -80 dB
FULL_SCALE = 0.9997    # 16 bits' largest number and above
CLIPPED_RUN = 4        # so many samples in a row at full scale are a clipped peak
CLIPPED_PEAKS = 3      # so many clipped peaks are no accident
EXCERPT = 1 << 18      # samples compared to measure an offset: 5 s
EXCERPTS = 5           # of a long recording, whose median decides: a few loud tones can look late where nothing is
LONGEST_OFFSET_S = 0.5
TOLERATED = 2          # samples of offset: a device's own phase moves the peak that far
SURE = 8.0             # how far a correlation's peak stands out of its noise, in standard deviations


def clipped_peaks(x):
    """How many times CLIPPED_RUN or more samples in a row lie at full scale."""
    full = np.concatenate(([0], (np.abs(x) >= FULL_SCALE).astype(np.int8), [0]))
    change = np.diff(full)
    lengths = np.flatnonzero(change == -1) - np.flatnonzero(change == 1)
    return int(np.count_nonzero(lengths >= CLIPPED_RUN))


def of_sound(path, x):
    """x float32 [samples] of the file at path."""
    bad = np.flatnonzero(~np.isfinite(x))
    if bad.size:
        return [f"{path}: {bad.size} samples are NaN or infinite, the first at {bad[0]}; export it again"]
    if len(x) == 0 or np.max(np.abs(x)) < SILENT:
        return [f"{path}: is silent (nothing above -80 dB); check the cable and the channel, or take the pair out"]
    peaks = clipped_peaks(x)
    if peaks >= CLIPPED_PEAKS:
        return [f"{path}: clips at full scale {peaks} times; record it at a lower level (what it learns from would be "
                "the converter's curve)"]
    return []


def lengths(dry_path, dry, wet_path, wet, sample_rate):
    if len(dry) == len(wet):
        return []
    apart = abs(len(dry) - len(wet)) / sample_rate
    return [f"{wet_path}: has {len(wet)} samples and {dry_path} {len(dry)}, {apart:.3f} s apart; cut both to the same "
            "beginning and end"]


def loudest(x, samples):
    """Where the excerpt of so many samples with the most energy begins."""
    if len(x) <= samples:
        return 0
    energy = np.cumsum(np.square(np.asarray(x, dtype=np.float64)))
    hop = samples // 4
    starts = np.arange(0, len(x) - samples, hop)
    return int(starts[np.argmax(energy[starts + samples - 1] - energy[starts])])


def offset(dry, wet, sample_rate):
    """How many samples wet lags behind dry, or None where it cannot be told (a steady tone): by the loudest excerpt of each
    part of the recording."""
    parts = min(EXCERPTS, max(1, len(dry) // EXCERPT))
    edges = [len(dry) * k // parts for k in range(parts + 1)]
    begins = [begin + loudest(dry[begin:end], EXCERPT) for begin, end in zip(edges, edges[1:])]
    found = [offset_of_excerpt(dry[begin:begin + EXCERPT], wet[begin:begin + EXCERPT], sample_rate) for begin in begins]
    known = sorted(value for value in found if value is not None)
    return known[len(known) // 2] if known else None


def offset_of_excerpt(dry, wet, sample_rate):
    """Correlates the phases alone between 200 Hz and 8 kHz (PHAT): levels, and so compression, don't matter, nor does
    polarity."""
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
    around = np.abs(np.concatenate((correlation[-reach:], correlation[:reach + 1])))
    place = int(np.argmax(around))
    if around[place] < SURE * np.sqrt(np.mean(around ** 2)):
        return None
    return place - reach


def of_offsets(names, offsets, sample_rate):
    """names of the pairs; offsets in samples, None where unknown. -> (sentences, the delay that all share or 0)"""
    known = [value for value in offsets if value is not None]
    late = [value for value in known if abs(value) > TOLERATED]
    if not late:
        return [], 0
    common = int(np.median(known))
    if all(abs(value - common) <= TOLERATED for value in known):
        return [f"wet lags {common} samples ({1e3 * common / sample_rate:.2f} ms) behind dry in all {len(known)} pairs "
                "that can be compared; --align takes it out"], common
    return [f"{name}: wet lags {value} samples ({1e3 * value / sample_rate:.2f} ms) behind dry; move it so that both "
            "begin together" for name, value in zip(names, offsets) if value is not None and abs(value) > TOLERATED], 0


def shifted(dry, wet, lag):
    """Both without what has no counterpart; wet was `lag` samples late."""
    if lag > 0:
        return dry[:len(dry) - lag], wet[lag:]
    return (dry[-lag:], wet[:len(wet) + lag]) if lag < 0 else (dry, wet)
