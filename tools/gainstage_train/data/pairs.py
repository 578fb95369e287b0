"""What every reader of data gives and every trainer takes: recordings before and after a device, with its
knobs."""

from __future__ import annotations

from dataclasses import dataclass, field

from gainstage_files.model_file import Control
from .sound import Sound

TRAIN, VALIDATION, TEST, UNSEEN = "train", "validation", "test", "unseen"
SPLITS = (TRAIN, VALIDATION, TEST, UNSEEN)


@dataclass
class Pair:
    """One take through the device at one setting of its knobs."""

    name: str
    dry: Sound  # float32 [samples], full scale is -1..1
    wet: Sound  # float32 [samples], as long as dry and aligned with it
    knobs: dict[str, float]  # name -> value in the knob's own unit
    split: str = TRAIN  # test: held-out audio at trained settings; unseen: at held-out settings


@dataclass
class Dataset:
    """The pairs, all at one rate, and the device's knobs as a model file declares them."""

    pairs: list[Pair]
    controls: list[Control]  # name, unit, min, max, default, to_model {scale, offset}, steps for a switch
    sample_rate: float
    source: str  # one sentence for a model's card, with the licence of the audio
    notes: list[str] = field(default_factory=list)  # what a reader decided for itself, one sentence each

    def of(self, split: str) -> list[Pair]:
        return [pair for pair in self.pairs if pair.split == split]

    def seconds(self, split: str) -> float:
        return sum(len(pair.dry) for pair in self.of(split)) / self.sample_rate
