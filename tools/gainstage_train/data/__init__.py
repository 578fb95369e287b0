"""Data sets: folders of pairs, the SignalTrain layout, and what is generated from reference compressors."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gainstage_files.problem import NO_INPUT, Problem

if TYPE_CHECKING:
    from .pairs import Dataset


def load(path: str, align: bool = False, sample_rate: float | None = None) -> Dataset:
    """A Dataset from a folder, checked whole before anything else happens: with pairs.csv (folder.py) or in
    the layout of SignalTrain's LA-2A recordings (signaltrain.py). align: a delay that all pairs share and the
    drift of another clock are taken out. sample_rate: the pairs are brought to it; as it is, they keep
    theirs."""
    from . import folder, signaltrain

    if os.path.isfile(os.path.join(path, folder.TABLE)):
        return folder.load(path, align, sample_rate)
    if signaltrain.recognises(path):
        return signaltrain.load(path, align, sample_rate)
    if not os.path.isdir(path):
        raise Problem(f"{path}: is no folder; expected one with {folder.TABLE}", NO_INPUT)
    raise Problem(
        f"{path}: holds neither {folder.TABLE} (columns dry, wet and one per knob; see tools/gainstage_train/README.md) "
        "nor SignalTrain's folders Train, Val and Test",
        NO_INPUT,
    )
