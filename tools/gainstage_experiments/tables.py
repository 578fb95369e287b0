"""Tables and sentences in Markdown."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any


def table(heads: list[str], rows: Iterable[Iterable[Any]]) -> str:
    """Lists of words; None is left empty."""
    lines = [
        heads,
        ["---"] * len(heads),
        *([("" if word is None else str(word)) for word in row] for row in rows),
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float | None, digits: int = 3) -> str:
    """Significant digits, without exponents where they can be spared."""
    if value is None or value != value:
        return ""
    if value == 0:
        return "0"
    return f"{value:.{digits}g}" if 1e-4 <= abs(value) < 1e5 else f"{value:.{digits - 1}e}"


def tenths(value: float) -> str:
    """A zero has no sign."""
    return f"{value:.1f}".replace("-0.0", "0.0") if abs(value) < 0.05 else f"{value:.1f}"


def listed(every: Iterable[str]) -> str:
    words = list(every)
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def ranked(values: dict[str, float]) -> str:
    """{name: number, the less the better} -> the names in order with their numbers"""
    return ", ".join(
        f"{name} {number(value)}" for name, value in sorted(values.items(), key=lambda one: one[1])
    )


def compared(ours: dict[str, float], theirs: dict[str, float]) -> str:
    """Two rankings of the same names ({name: number}) as sentences: of how many pairs both say the same, and
    of which not."""
    names = [name for name in theirs if name in ours]
    pairs = [
        (a, b) if theirs[a] < theirs[b] else (b, a)
        for a, b in itertools.combinations(names, 2)
        if theirs[a] != theirs[b]
    ]
    if not pairs:
        return "Nothing to compare yet."
    other = [(a, b) for a, b in pairs if ours[a] >= ours[b]]
    if not other:
        return f"All {len(pairs)} pairs rank as there." if len(pairs) > 1 else "It ranks as there."
    return (
        f"Of {len(pairs)} pair{'s' if len(pairs) > 1 else ''} {len(pairs) - len(other)} rank as there; "
        f"the other way round: {listed(f'{b} before {a}' for a, b in other)}."
    )
