"""Metrics of many clips together: errors and energies are added up, spectra and short-time energies are
averaged by length."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from . import losses
from .losses import ENERGY_FLOOR, METRICS


@dataclass
class Scores:
    """Add clips, then ask: esr, esr_plain, mae, mse, dc, mr_stft, mste."""

    samples: int = 0
    sums: dict[str, float] = field(default_factory=dict)

    def add(self, played: np.ndarray, wanted: np.ndarray, spectra: bool = True) -> Scores:
        """float arrays [samples], of one length. spectra: mr_stft and mste too, which take longest."""
        output, target = (
            torch.as_tensor(np.asarray(sound), dtype=torch.float64)[None] for sound in (played, wanted)
        )
        n = output.shape[1]
        if n == 0:
            return self
        blocked, aim = losses.dc_block(output), losses.dc_block(target)
        error = output - target
        spectra = spectra and n > max(losses.SHORTEST.values())
        new = {
            "blocked_error": (blocked - aim).square().sum(),
            "blocked_energy": aim.square().sum(),
            "absolute": error.abs().sum(),
            "square": error.square().sum(),
            "energy": target.square().sum(),
            "dc": n * error.mean().square(),
            "spectral_samples": n if spectra else 0,
            "mr_stft": n * losses.mr_stft(output, target) if spectra else 0.0,
            "mste": n * losses.mste(output, target) if spectra else 0.0,
        }
        self._add(n, new)
        return self

    def __iadd__(self, other: Scores) -> Scores:
        self._add(other.samples, other.sums)
        return self

    def _add(self, samples: int, sums: dict[str, Any]) -> None:
        self.samples += samples
        for name, value in sums.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value)

    def _ratio(self, above: str, below: str) -> float:
        return self.sums[above] / (self.sums[below] + ENERGY_FLOOR * self.samples)

    @property
    def esr(self) -> float:
        return self._ratio("blocked_error", "blocked_energy")

    @property
    def esr_plain(self) -> float:
        return self._ratio("square", "energy")

    @property
    def dc(self) -> float:
        return self._ratio("dc", "energy")

    @property
    def mae(self) -> float:
        return self.sums["absolute"] / self.samples

    @property
    def mse(self) -> float:
        return self.sums["square"] / self.samples

    @property
    def mr_stft(self) -> float:
        return self._spectral("mr_stft")

    @property
    def mste(self) -> float:
        return self._spectral("mste")

    def _spectral(self, name: str) -> float:
        """NaN where no clip was long enough."""
        return (
            self.sums[name] / self.sums["spectral_samples"] if self.sums["spectral_samples"] else float("nan")
        )

    def values(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in METRICS}
