"""A folder of recordings before and after a device: pairs.csv (table.py), sound files of any kind libsndfile
reads, and optionally controls.json (controls.py). Without it every column that is neither dry, wet nor split
is a knob, from the smallest to the largest number in it. Everything that is wrong is said at once."""

from __future__ import annotations

import os

import numpy as np

from gainstage_files.model_file import Control
from gainstage_files.problem import DATA, Problem
from . import check, controls, recordings, sound, splits, table
from .pairs import TRAIN, Dataset, Pair
from .sound import Sound
from .table import Row

TABLE, CONTROLS = "pairs.csv", "controls.json"
MOST_LINES = 40  # of problems shown


def refuse(problems: list[str]) -> None:
    if problems:
        more = [f"and {len(problems) - MOST_LINES} more"] if len(problems) > MOST_LINES else []
        raise Problem(problems[:MOST_LINES] + more, DATA)


class Files:
    """Reads each file once, and says once what is wrong with it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.read: dict[str, tuple[np.ndarray, float] | None] = {}
        self.problems: list[str] = []

    def __call__(self, name: str) -> tuple[np.ndarray, float] | None:
        """-> (float32 [samples], rate), or None"""
        if name not in self.read:
            self.read[name] = None
            path = os.path.join(self.folder, name)
            try:
                x, rate = sound.read(path)
                found = check.of_sound(path, x)
                self.problems += found
                if not found:
                    self.read[name] = x, rate
            except Problem as problem:
                self.problems.append(str(problem))
        return self.read[name]


def rates(files: Files) -> tuple[float, list[str]]:
    """All files must have one rate; the rarer ones are named."""
    found: dict[float, list[str]] = {}
    for name, content in files.read.items():
        if content:
            found.setdefault(content[1], []).append(name)
    usual = max(found, key=lambda rate: len(found[rate]), default=0.0)
    return usual, [
        f"{os.path.join(files.folder, name)}: is at {rate:g} Hz and the others at {usual:g} Hz; export all at "
        "one rate"
        for rate, names in found.items()
        if rate != usual
        for name in names
    ]


def described(
    folder: str, names: list[str], rows: list[Row]
) -> tuple[list[Control], str, list[str], list[str]]:
    """-> (controls, source, notes, problems). A knob that stands still can't be learned, and the runtime
    wants a range."""
    path = os.path.join(folder, CONTROLS)
    if os.path.isfile(path):
        declared, source, problems = controls.of_file(path, names, rows)
        return declared, source, [], problems
    moving = [name for name in names if len({row.knobs[name] for row in rows}) > 1]
    notes = [
        f"{name} is {rows[0].knobs[name]:g} in every line: it is no knob of the model"
        for name in names
        if name not in moving
    ]
    return [controls.inferred(name, [row.knobs[name] for row in rows]) for name in moving], "", notes, []


def at_rate(pairs: list[Pair], rate: float, wanted: float) -> None:
    """Every signal resampled once, though several pairs may share it."""
    done: dict[int, np.ndarray] = {}

    def resampled(x: Sound) -> np.ndarray:
        if id(x) not in done:
            done[id(x)] = recordings.resampled(np.asarray(x), rate, wanted).astype("float32")
        return done[id(x)]

    for pair in pairs:
        pair.dry, pair.wet = resampled(pair.dry), resampled(pair.wet)


def aligned(pairs: list[Pair], rate: float, align: bool) -> tuple[list[str], list[str]]:
    """-> (notes, problems). Drift first: a recording that drifts has no one offset."""
    drifts = [check.drift(pair.dry, pair.wet, rate) for pair in pairs]
    notes: list[str] = []
    problems: list[str] = []
    if align:
        for pair, found in zip(pairs, drifts):
            if found:
                pair.dry, pair.wet = check.without_drift(np.asarray(pair.dry), np.asarray(pair.wet), found)
                notes.append(f"{pair.name}: wet drifted by {found.text(rate)} and was resampled")
    else:
        problems = check.of_drifts([pair.name for pair in pairs], drifts, rate)
        pairs = [pair for pair, found in zip(pairs, drifts) if not found]
    offsets = [check.offset(pair.dry, pair.wet, rate) for pair in pairs]
    sentences, lag = check.of_offsets([pair.name for pair in pairs], offsets, rate)
    if not (align and lag):
        return notes, problems + sentences
    for pair in pairs:
        pair.dry, pair.wet = check.shifted(np.asarray(pair.dry), np.asarray(pair.wet), lag)
    return (
        notes + [f"wet lagged {lag} samples ({1e3 * lag / rate:.2f} ms) behind dry, which was taken out"],
        [],
    )


def pairs_of(folder: str, rows: list[Row], files: Files, rate: float) -> tuple[list[Pair], list[str]]:
    """-> (pairs, problems); only of what could be read."""
    pairs, problems = [], []
    for row in rows:
        dry, wet = files(row.dry), files(row.wet)
        if dry and wet and dry[1] == wet[1] == rate:
            places = [os.path.join(folder, name) for name in (row.dry, row.wet)]
            different = check.lengths(places[0], dry[0], places[1], wet[0], rate)
            problems += different
            if not different:
                pairs.append(Pair(row.wet, dry[0], wet[0], row.knobs, row.split))
    return pairs, problems


def load(folder: str, align: bool = False, sample_rate: float | None = None) -> Dataset:
    """-> Dataset; Problem with one line for everything that is wrong."""
    rows, names, problems = table.read(os.path.join(folder, TABLE))
    refuse(problems)
    declared, source, still, problems = described(folder, names, rows)
    files = Files(folder)
    for row in rows:
        files(row.dry), files(row.wet)
    rate, different = rates(files)
    pairs, unequal = pairs_of(folder, rows, files, rate)
    notes, late = aligned(pairs, rate, align)
    refuse(problems + files.problems + different + unequal + late)
    notes += still
    if sample_rate and sample_rate != rate:
        at_rate(pairs, rate, sample_rate)
        notes.append(f"brought from {rate:g} Hz to {sample_rate:g} Hz")
        rate = float(sample_rate)
    dataset = Dataset(
        pairs, declared, rate, source or f"recordings in {os.path.basename(os.path.abspath(folder))}", notes
    )
    return divided(dataset, [row.dry for row in rows], os.path.join(folder, TABLE))


def divided(dataset: Dataset, dry_names: list[str], path: str) -> Dataset:
    """Splits where the table gives none."""
    said: str | None
    if not dataset.pairs[0].split:
        dataset.pairs, said = splits.without_column(dataset.pairs, dry_names)
    else:
        dataset.pairs, said = splits.with_validation(dataset.pairs)
    if not dataset.of(TRAIN):
        refuse([f"{path}: no pair is for training; give some the split train"])
    if said:
        dataset.notes.append(said)
    return dataset
