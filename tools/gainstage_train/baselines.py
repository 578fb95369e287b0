"""What needs no training: the best plain gain, and the best curve without memory, each fitted to the very
clips that it is judged on, one for every setting of the knobs. A model must be better than either to be worth
its operations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from .data.pairs import Pair
from .losses import dc_block
from .scores import Scores

CURVE_POINTS = 512
Setting = tuple[tuple[str, float], ...]  # of the knobs
Player = Callable[[np.ndarray], np.ndarray]


def setting_of(pair: Pair) -> Setting:
    """A hashable, sortable name of where the knobs stood."""
    return tuple(sorted((name, float(value)) for name, value in pair.knobs.items()))


def by_setting(pairs: list[Pair]) -> dict[Setting, list[Pair]]:
    """-> {setting: pairs}, in the order of the settings"""
    groups: dict[Setting, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(setting_of(pair), []).append(pair)
    return dict(sorted(groups.items()))


def static_gain(pairs: list[Pair]) -> Scores:
    """-> Scores, of each clip: least squares behind the DC blocker."""
    return _scored(pairs, _best_gain)


def static_curve(pairs: list[Pair]) -> Scores:
    """-> Scores: the mean of the target over samples of like dry value, in steps of equal population."""
    return _scored(pairs, _best_curve)


def _scored(pairs: list[Pair], fit: Callable[[list[Pair]], Player]) -> Scores:
    scores = Scores()
    for group in by_setting(pairs).values():
        play = fit(group)
        for pair in group:
            scores.add(play(np.asarray(pair.dry)), np.asarray(pair.wet), spectra=False)
    return scores


def _best_gain(pairs: list[Pair]) -> Player:
    cross = power = 0.0
    for pair in pairs:
        dry, wet = (
            dc_block(torch.as_tensor(np.asarray(sound), dtype=torch.float64)).numpy()
            for sound in (pair.dry, pair.wet)
        )
        cross, power = cross + np.dot(dry, wet), power + np.dot(dry, dry)
    gain = cross / power if power > 0 else 0.0
    return lambda dry: gain * dry


def _best_curve(pairs: list[Pair]) -> Player:
    dry, wet = (
        np.concatenate([np.asarray(getattr(pair, side)) for pair in pairs]).astype(np.float64)
        for side in ("dry", "wet")
    )
    order = np.argsort(dry, kind="stable")
    parts = [part for part in np.array_split(order, min(CURVE_POINTS, len(order))) if len(part)]
    x, y = np.array([dry[part].mean() for part in parts]), np.array([wet[part].mean() for part in parts])
    return lambda sound: np.interp(sound, x, y)
