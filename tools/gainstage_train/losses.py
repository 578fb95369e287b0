"""How far an output is from its target: what training makes small, and what is reported of a trained model.

Every function takes (output, target), float tensors [rows, samples] of one shape, and gives a scalar through
which gradients flow. Rows are pooled: sums run over all of them, so a row of silence neither counts nor
divides by zero.

Sources: Wright and Valimaki, Grey-box modelling of dynamic range compression, DAFx 2022 (ESR, DC blocker,
MSTE: equations 10 to 13); Wright and Valimaki, Perceptual loss function for neural modeling of audio systems,
ICASSP 2020 (pre-emphasis, DC); Yamamoto, Song and Kim, Parallel WaveGAN, ICASSP 2020, as in Steinmetz and
Reiss's auraloss (multi-resolution STFT: spectral convergence and log magnitude)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from gainstage_files.problem import USAGE, Problem

DC_BLOCK_POLE, DC_BLOCK_TAPS = 0.995, 2000  # equation 10, and the length the paper cuts its response to
PRE_EMPHASIS = 0.85
MSTE_FRAMES = ((8, 2), (16, 4), (32, 8), (64, 16))  # (frame, hop) in samples
STFT_SIZES = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))  # (transform, hop, Hann window) in samples
STFT_FLOOR = 1e-8  # of a bin's power, under the logarithm
ENERGY_FLOOR = 1e-9  # mean square per sample (-90 dB re full scale): below, a target counts as silence


def mae(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (output - target).abs().mean()


def mse(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (output - target).square().mean()


def dc(output: torch.Tensor, target: torch.Tensor, power: float | None = None) -> torch.Tensor:
    """Squared difference of the means over the target's mean square; every row has means of its own."""
    return (output - target).mean(-1).square().mean() / _power(target, power)


def esr_plain(output: torch.Tensor, target: torch.Tensor, power: float | None = None) -> torch.Tensor:
    """Error-to-signal ratio, equation 11, without a filter before it."""
    return mse(output, target) / _power(target, power)


def esr(output: torch.Tensor, target: torch.Tensor, power: float | None = None) -> torch.Tensor:
    """Error-to-signal ratio behind the DC blocker: equations 10 and 11."""
    return esr_plain(dc_block(output), dc_block(target), power)


def esr_pre(output: torch.Tensor, target: torch.Tensor, power: Any = None) -> torch.Tensor:
    """Error-to-signal ratio behind the first-order high-pass 1 - 0.85 z^-1."""
    return esr_plain(pre_emphasis(output), pre_emphasis(target), power)


def ste(output: torch.Tensor, target: torch.Tensor, frame: int, hop: int) -> torch.Tensor:
    """Difference of short-time energies behind the DC blocker: equation 12."""
    return _ste(dc_block(output), dc_block(target), frame, hop)


def mste(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The mean of four resolutions of it: equation 13."""
    output, target = dc_block(output), dc_block(target)
    return sum(_ste(output, target, *size) for size in MSTE_FRAMES) / len(MSTE_FRAMES)


def mr_stft(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Spectral convergence plus log magnitude (natural logarithm), the mean of three resolutions."""
    return sum(stft(output, target, *size) for size in STFT_SIZES) / len(STFT_SIZES)


def stft(output: torch.Tensor, target: torch.Tensor, transform: int, hop: int, window: int) -> torch.Tensor:
    output, target = (_magnitudes(sound, transform, hop, window) for sound in (output, target))
    convergence = torch.linalg.norm(target - output) / torch.linalg.norm(target)
    return convergence + (target.log() - output.log()).abs().mean()


FUNCTIONS: tuple[Any, ...] = (mae, mse, esr, esr_plain, esr_pre, dc, mste, mr_stft)
LOSSES = {f.__name__: f for f in FUNCTIONS}
RATIOS = (esr, esr_plain, esr_pre, dc)  # divided by the target's power, or by one that is given
METRICS = ("esr", "mae", "mse", "dc", "mr_stft", "mste")  # what is reported of a model
SHORTEST = {"mr_stft": max(size[0] for size in STFT_SIZES), "mste": max(size[0] for size in MSTE_FRAMES)}


class Loss:
    """A weighted sum of LOSSES, as a text says it: "esr", "mae+mr_stft", "esr+0.5*dc"."""

    def __init__(self, text: str) -> None:
        self.text = text.replace(" ", "").replace("-", "_")
        self.terms = [self._term(part) for part in self.text.split("+")]
        self.shortest_samples = max(SHORTEST.get(function.__name__, 1) for _, function in self.terms)

    def _term(self, part: str) -> tuple[float, Callable[..., torch.Tensor]]:
        factor, _, name = part.rpartition("*")
        try:
            weight = float(factor) if factor else 1.0
        except ValueError:
            weight = math.nan
        if name not in LOSSES or not 0 < weight < math.inf:
            raise Problem(
                f"loss '{self.text}': expected names out of {', '.join(LOSSES)}, joined by + and each with a "
                "weight above 0 before it where it needs one, such as esr+0.5*dc",
                USAGE,
            )
        return weight, LOSSES[name]

    def __call__(
        self, output: torch.Tensor, target: torch.Tensor, power: float | None = None
    ) -> torch.Tensor:
        """power: mean square by which ratios are divided, of the sound that a short piece is from: else a
        pause between two notes would count as much as the notes."""
        return sum(
            weight * (function(output, target, power) if function in RATIOS else function(output, target))
            for weight, function in self.terms
        )


def dc_block(sound: torch.Tensor) -> torch.Tensor:
    """(1 - z^-1) / (1 - 0.995 z^-1) from rest, its response cut after 2000 samples, in the frequency
    domain."""
    taps = min(DC_BLOCK_TAPS, sound.shape[-1])
    decay = torch.arange(taps - 1, dtype=torch.float64)
    response = torch.cat([torch.ones(1, dtype=torch.float64), (DC_BLOCK_POLE - 1) * DC_BLOCK_POLE**decay])
    return _convolve(sound, response.to(sound))


def pre_emphasis(sound: torch.Tensor, coefficient: float = PRE_EMPHASIS) -> torch.Tensor:
    """1 - coefficient z^-1 from rest."""
    return torch.cat([sound[..., :1], sound[..., 1:] - coefficient * sound[..., :-1]], -1)


def _convolve(sound: torch.Tensor, response: torch.Tensor) -> torch.Tensor:
    samples = sound.shape[-1]
    size = _fast_size(samples + response.shape[-1] - 1)
    product = torch.fft.rfft(sound, size) * torch.fft.rfft(response, size)
    return torch.fft.irfft(product, size)[..., :samples]


def _fast_size(least: int) -> int:
    """The smallest 2^a, 3 * 2^a or 5 * 2^a that is not less: sizes that transforms are fast at."""
    return min(factor << max(0, math.ceil(math.log2(least / factor))) for factor in (1, 3, 5))


def _power(target: torch.Tensor, power: float | None = None) -> float | torch.Tensor:
    return (target.square().mean() if power is None else power) + ENERGY_FLOOR


def _ste(output: torch.Tensor, target: torch.Tensor, frame: int, hop: int) -> torch.Tensor:
    difference = (target.square() - output.square()).unsqueeze(1)
    return torch.nn.functional.avg_pool1d(difference, frame, hop).abs().mean()


def _magnitudes(sound: torch.Tensor, transform: int, hop: int, window: int) -> torch.Tensor:
    shape = torch.hann_window(window, dtype=sound.dtype, device=sound.device)
    bins = torch.stft(sound, transform, hop, window, shape, return_complex=True)
    return (bins.real.square() + bins.imag.square()).clamp(min=STFT_FLOOR).sqrt()
