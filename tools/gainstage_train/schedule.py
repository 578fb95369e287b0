"""How a training run goes: what the model's recipe says, what the command line says otherwise, made to fit
the data."""

from __future__ import annotations

import dataclasses
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from gainstage_files.problem import USAGE, Problem
from .data.pairs import TRAIN, VALIDATION, Dataset
from .data.sound import Sound
from .losses import Loss

COSINE, PLATEAU, CONSTANT = "cosine", "plateau", "constant"
BALANCED, AS_RECORDED = "settings", "none"  # does every setting of the knobs count alike, or by its loudness?

EXCERPT = 4096  # samples


@dataclass
class Schedule:
    """Lengths in samples; rate: Adam's."""

    segment_samples: int  # of one window: the warm part and what is learned from
    warm_samples: int  # without gradient
    tbptt_samples: int  # of one step of the optimiser
    batch: int  # windows side by side
    rate: float
    loss: str
    clip: float = 1.0  # the gradient's norm is kept below; 0: not
    # What is judged and kept is the mean of the weights of about so many last steps; 0: the last ones.
    average_steps: int = 0
    decay: str = COSINE  # how the rate falls
    balance: str = BALANCED
    patience: int = 40  # validations without a better one until the end; 0: never
    epochs: int = 0  # 0: as many as there is time for
    minutes: float = 0.0  # 0: as long as it takes
    validation_seconds: float = 120.0  # of sound that is listened to
    seed: int = 1

    @classmethod
    def made(cls, recipe: dict[str, Any], **given: Any) -> Schedule:
        """`given` over `recipe` over the defaults; None counts as not given."""
        known = {field.name for field in dataclasses.fields(cls)}
        values = {key: value for key, value in recipe.items() if key in known}
        values.update({key: value for key, value in given.items() if value is not None})
        return cls(**values)

    @property
    def body_samples(self) -> int:
        return self.segment_samples - self.warm_samples

    def fit(self, frame: int, longest: int) -> Any:
        """Lengths in whole pieces of whole frames, no longer than the longest recording."""
        if self.body_samples <= 0:
            raise Problem(
                f"--segment, {self.segment_samples} samples, must be longer than --warm, {self.warm_samples}, which nothing is "
                "learned from",
                USAGE,
            )

        def whole(samples: int, part: int) -> int:
            return max(part, samples // part * part)

        body = min(self.body_samples, whole(longest, frame))
        self.tbptt_samples = whole(min(self.tbptt_samples, body), frame)
        self.warm_samples = -(-self.warm_samples // frame) * frame
        self.segment_samples = self.warm_samples + whole(body, self.tbptt_samples)

    def check(self, dataset: Dataset) -> None:
        """Problems that would show only after an epoch, or never."""
        for split in (TRAIN, VALIDATION):
            if not dataset.of(split):
                raise Problem(
                    f"the data hold no recording of the split '{split}': training needs some to learn from and some "
                    "to judge by"
                )
        shortest = Loss(self.loss).shortest_samples
        if self.tbptt_samples < shortest:
            raise Problem(
                f"the loss {self.loss} compares stretches of {shortest} samples, but a step learns from only "
                f"{self.tbptt_samples}: choose another --loss, or a longer --step"
            )

    def identity(self) -> dict[str, Any]:
        """What must not change when a run is taken up again."""
        free = ("patience", "epochs", "minutes")
        facts = {key: value for key, value in dataclasses.asdict(self).items() if key not in free}
        facts["schedule"] = facts.pop("decay")  # its name in checkpoints and on the command line
        return facts


def digest(dataset: Dataset) -> str:
    """Eight hexadecimal digits that change with the data."""
    value = 0
    for pair in dataset.pairs:
        head = f"{pair.name} {pair.split} {sorted(pair.knobs.items())} {len(pair.dry)}"
        for part in (head.encode(), *_content(pair.dry), *_content(pair.wet)):
            value = zlib.crc32(part, value)
    return f"{value:08x}"


def _content(sound: Sound) -> list[bytes]:
    """All of it, or of a file that is read as it is needed three parts."""
    if isinstance(sound, np.ndarray):
        return [sound.tobytes()]
    last = max(0, len(sound) - EXCERPT)
    return [sound[begin : begin + EXCERPT].tobytes() for begin in (0, last // 2, last)]
