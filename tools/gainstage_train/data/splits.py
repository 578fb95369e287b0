"""Which audio is for training, which for choosing the best model (validation), which for judging it (test),
where the data doesn't say: 80:10:10, as in the grey-box paper, and the same for the same data."""

from __future__ import annotations

import hashlib

from .pairs import TEST, TRAIN, VALIDATION, Pair
from .sound import Lazy, Sound

FEWEST_RECORDINGS = 10  # with fewer, whole recordings make parts too unequal
SHARE = 0.1


def order(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def by_recording(pairs: list[Pair], recordings: list[str]) -> tuple[list[Pair], str]:
    """recordings: the dry file of each pair. Whole recordings go to one part, drawn by their names."""
    names = sorted(set(recordings), key=order)
    held = max(1, round(SHARE * len(names)))
    part = {
        name: VALIDATION if place < held else TEST if place < 2 * held else TRAIN
        for place, name in enumerate(names)
    }
    for pair, recording in zip(pairs, recordings):
        pair.split = part[recording]
    return pairs, (
        f"no split column: of {len(names)} recordings {held} are kept for validation and {held} for the test, "
        "drawn by their file names"
    )


def cut(pair: Pair, begin: float, end: float, split: str) -> Pair:
    """The part of a pair from begin to end, each 0..1 of its length."""
    first, last = (int(len(pair.dry) * place) for place in (begin, end))

    def part(x: Sound) -> Sound:
        return x.part(first, last) if isinstance(x, Lazy) else x[first:last]

    return Pair(f"{pair.name} ({split})", part(pair.dry), part(pair.wet), pair.knobs, split)


def by_time(pairs: list[Pair]) -> tuple[list[Pair], str]:
    """The end of every pair is kept: the same audio at every setting, where one recording went through
    all."""
    parts = (
        (0.0, 1.0 - 2 * SHARE, TRAIN),
        (1.0 - 2 * SHARE, 1.0 - SHARE, VALIDATION),
        (1.0 - SHARE, 1.0, TEST),
    )
    out = [cut(pair, *part) for part in parts for pair in pairs]
    return out, (
        "no split column and few recordings: of every pair the last tenth is kept for the test, the one before "
        "for validation"
    )


def without_column(pairs: list[Pair], recordings: list[str]) -> tuple[list[Pair], str]:
    """-> (pairs, what was done)"""
    return by_recording(pairs, recordings) if len(set(recordings)) >= FEWEST_RECORDINGS else by_time(pairs)


def with_validation(pairs: list[Pair]) -> tuple[list[Pair], str | None]:
    """Training needs something to choose by: where nothing is kept for it, the last tenth of every training
    pair."""
    if any(pair.split == VALIDATION for pair in pairs) or not any(pair.split == TRAIN for pair in pairs):
        return pairs, None
    out = []
    for pair in pairs:
        parts = [cut(pair, 0.0, 1.0 - SHARE, TRAIN), cut(pair, 1.0 - SHARE, 1.0, VALIDATION)]
        out += parts if pair.split == TRAIN else [pair]
    return out, "no pair is kept for validation: the last tenth of every training pair is"
