"""Writes a data set as a folder that folder.py reads: sound files of 24 bits, pairs.csv, controls.json."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from gainstage_files import new_file
from gainstage_files.libraries import missing
from gainstage_files.model_file import Control
from gainstage_files.problem import CANNOT_CREATE, UNAVAILABLE, Problem
from .pairs import Pair
from .sound import Sound

FULL_SCALE = 1.0 - 2.0**-23


def sound(path: str, x: Sound, sample_rate: float) -> None:
    """x float32 [samples] -> FLAC of 24 bits; beyond full scale is a Problem, not a clipped file."""
    import soundfile

    peak = float(np.max(np.abs(x))) if len(x) else 0.0
    if not np.isfinite(peak) or peak > FULL_SCALE:
        raise Problem(f"{path}: peaks at {peak:g}, beyond full scale; lower the dry signal")
    content = io.BytesIO()
    soundfile.write(content, x, int(sample_rate), format="FLAC", subtype="PCM_24")
    new_file.write(path, content.getvalue())


class Writer:
    """Collects rows; a dry signal that several pairs share is written once."""

    def __init__(self, path: str, sample_rate: float) -> None:
        self.path, self.sample_rate = path, sample_rate
        self.rows: list[dict[str, Any]] = []
        self.written: dict[int, tuple[str, Sound]] = {}

    def add(self, pair: Pair) -> None:
        if id(pair.dry) not in self.written:
            name = f"dry/{pair.name.split('@')[0]}.flac"
            sound(os.path.join(self.path, name), pair.dry, self.sample_rate)
            self.written[id(pair.dry)] = (name, pair.dry)  # keeps it alive, so that its id stays its own
        wet = f"wet/{pair.split}-{len(self.rows):04d}.flac"
        sound(os.path.join(self.path, wet), pair.wet, self.sample_rate)
        self.rows.append(
            {"dry": self.written[id(pair.dry)][0], "wet": wet, "split": pair.split, **pair.knobs}
        )

    def finish(self, controls: list[Control], source: str) -> None:
        text = json.dumps({"source": source, "controls": controls}, indent=2) + "\n"
        new_file.write(os.path.join(self.path, "controls.json"), text.encode())
        content = io.StringIO()
        columns = ["dry", "wet", "split"] + [each["name"] for each in controls]
        table = csv.DictWriter(content, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(
            {key: f"{value:g}" if isinstance(value, float) else value for key, value in row.items()}
            for row in self.rows
        )
        new_file.write(os.path.join(self.path, "pairs.csv"), content.getvalue().encode())


def folder(path: str, pairs: Iterable[Pair], controls: list[Control], sample_rate: float, source: str) -> str:
    """pairs: any iterable of Pair. pairs.csv comes last, so that a folder left half written is no data set.
    -> one line on what was written."""
    try:
        import soundfile  # noqa: F401
    except ImportError as problem:
        raise Problem(f"to write sound: {missing('soundfile')}", UNAVAILABLE) from problem
    if os.path.exists(os.path.join(path, "pairs.csv")):
        raise Problem(
            f"{path}: already holds a data set (pairs.csv); name another folder or remove it", CANNOT_CREATE
        )
    seconds: dict[str, float] = {}
    try:
        for part in ("dry", "wet"):
            new_file.make_folders(os.path.join(path, part))
        writer = Writer(path, sample_rate)
        for pair in pairs:
            writer.add(pair)
            seconds[pair.split] = seconds.get(pair.split, 0.0) + len(pair.dry) / sample_rate
        writer.finish(controls, source)
    except (OSError, RuntimeError) as problem:
        raise Problem(f"{path}: cannot be written: {problem}", CANNOT_CREATE) from problem
    return f"{path}: {len(writer.rows)} pairs; " + ", ".join(
        f"{split} {total:.0f} s" for split, total in seconds.items()
    )
