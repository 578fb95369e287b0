"""The SignalTrain LA-2A data set as it is distributed (Hawley, Colburn & Mimilakis, AES 2019;
zenodo.org/record/3824876): folders Train, Val and Test, which are its published splits, each with
input_N_.wav and target_N_LA2A_3c__LIMIT__PEAK.wav (in part LA2A_2c), 44.1 kHz mono. Read lazily: it is 20
hours."""

from __future__ import annotations

import os
import re

import numpy as np

from gainstage_files.model_file import Control
from gainstage_files.problem import Problem
from . import check, folder, sound
from .controls import control
from .pairs import TEST, TRAIN, VALIDATION, Dataset, Pair
from .sound import Lazy

DRIFT_PARTS, DRIFT_WINDOW_S = 8, 4.5
SPLITS = {"Train": TRAIN, "Val": VALIDATION, "Test": TEST}
TARGET = re.compile(r"target_(\d+)_LA2A_\dc__(\d+(?:\.\d+)?)__(\d+(?:\.\d+)?)\.wav", re.IGNORECASE)
INPUT = re.compile(r"input_(\d+)_\.wav", re.IGNORECASE)
SOURCE = "SignalTrain LA-2A data set (Hawley, Colburn & Mimilakis; zenodo.org/record/3824876, licence as stated there)"


def folders(path: str) -> list[tuple[str, str]]:
    """-> [(split, folder)], whatever the capitals of their names."""
    names = os.listdir(path) if os.path.isdir(path) else []
    return [
        (split, os.path.join(path, name))
        for part, split in SPLITS.items()
        for name in sorted(names)
        if name.lower() == part.lower() and os.path.isdir(os.path.join(path, name))
    ]


def recognises(path: str) -> bool:
    return any(TARGET.fullmatch(name) for _, where in folders(path) for name in os.listdir(where))


def listed(path: str) -> tuple[list[tuple[str, str, str, float, float]], list[str]]:
    """-> ([(split, dry path, wet path, limit, peak)], problems), in the order of their numbers."""
    found, problems = [], []
    for split, where in folders(path):
        names = os.listdir(where)
        inputs = {int(match[1]): name for name in names if (match := INPUT.fullmatch(name))}
        for match in sorted(
            (match for name in names if (match := TARGET.fullmatch(name))), key=lambda m: int(m[1])
        ):
            number = int(match[1])
            wet = os.path.join(where, match[0])
            if number not in inputs:
                problems.append(f"{wet}: has no input_{number}_.wav beside it; unpack the archive again")
            else:
                found.append(
                    (split, os.path.join(where, inputs[number]), wet, float(match[2]), float(match[3]))
                )
    return found, problems


def controls(limits: set[float]) -> list[Control]:
    """As the published models take them: limit 0/1, peak reduction 0..100 (here mapped to -1..1)."""
    out = [control("peak_reduction", "", 0.0, 100.0, 50.0)]
    return ([control("limit", "", 0.0, 1.0, 0.0, steps=2)] if len(limits) > 1 else []) + out


def drifting(dry: Lazy, wet: Lazy) -> list[str]:
    """By excerpts: all of it would be 20 hours to read."""
    found = check.drift(dry, wet, dry.sample_rate, DRIFT_PARTS, DRIFT_WINDOW_S)
    return (
        [
            f"{wet.path}: drifts away from {dry.path} by {found.text(dry.sample_rate)}: it was recorded by another clock; resample it, or "
            "take both out"
        ]
        if found
        else []
    )


def checked(dry: Lazy, wet: Lazy) -> list[str]:
    """Headers of all, the samples of five seconds in the middle, and excerpts along the recording."""
    problems = check.lengths(dry.path, dry, wet.path, wet, dry.sample_rate)
    middle = max(0, min(len(dry), len(wet)) // 2 - check.EXCERPT // 2)
    for each in (dry, wet):
        x = each[middle : middle + check.EXCERPT]
        if not np.all(np.isfinite(x)):
            problems.append(f"{each.path}: holds samples that are NaN or infinite; unpack the archive again")
    return problems or drifting(dry, wet)


def pair_of(
    split: str, dry_path: str, wet_path: str, limit: float, peak: float, switched: bool
) -> tuple[Pair | None, list[str]]:
    """-> (Pair, problems)"""
    try:
        dry, wet = sound.Lazy(dry_path), sound.Lazy(wet_path)
        knobs = {"limit": limit, "peak_reduction": peak} if switched else {"peak_reduction": peak}
        return Pair(os.path.basename(wet_path), dry, wet, knobs, split), checked(dry, wet)
    except Problem as problem:
        return None, [str(problem)]


def load(path: str, align: bool = False, sample_rate: float | None = None) -> Dataset:
    """-> Dataset whose pairs hold Lazy sounds. Its authors aligned it to a few samples; align changes
    nothing."""
    found, problems = listed(path)
    limits = {limit for _, _, _, limit, _ in found}
    pairs: list[Pair] = []
    for entry in found:
        pair, wrong = pair_of(*entry, switched=len(limits) > 1)
        problems += wrong
        pairs += [pair] if pair else []
    rates = {side.sample_rate for pair in pairs for side in (pair.dry, pair.wet) if isinstance(side, Lazy)}
    if len(rates) > 1:
        found_rates = ", ".join(f"{rate:g} Hz" for rate in sorted(rates))
        problems.append(f"{path}: holds files at {found_rates}; expected one rate")
    if sample_rate and rates and {sample_rate} != rates:
        problems.append(f"{path}: is at {min(rates):g} Hz and is read as it lies; train at that rate")
    folder.refuse(problems)
    return Dataset(pairs, controls(limits), rates.pop(), SOURCE)
