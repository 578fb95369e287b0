"""Noise from a seeded numpy Generator."""

from __future__ import annotations

import numpy as np


def pink(random: np.random.Generator, samples: int, level_db: float) -> np.ndarray:
    """Pink noise (power 1/f, made in the frequency domain) of so many dB rms relative to full scale,
    float32."""
    if samples == 0:
        return np.zeros(0, dtype=np.float32)
    bins = samples // 2 + 1
    spectrum = random.normal(size=bins) + 1j * random.normal(size=bins)
    spectrum /= np.sqrt(np.maximum(np.arange(bins), 1.0))
    spectrum[0] = 0.0
    noise = np.fft.irfft(spectrum, samples)
    return (noise * (10.0 ** (level_db / 20.0) / (np.sqrt(np.mean(noise**2)) + 1e-30))).astype(np.float32)


def white(random: np.random.Generator, samples: int, level_db: float) -> np.ndarray:
    """White Gaussian noise of so many dB rms, float32."""
    return (random.normal(size=samples) * 10.0 ** (level_db / 20.0)).astype(np.float32)
