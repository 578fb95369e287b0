"""Rows of measurements as tables: for a terminal, and for a card."""

from collections.abc import Callable, Mapping

from .evaluation import Row, mean, together
from .figures import change, decibels, figure

SPLIT_WORDS = {
    "train": "trained audio",
    "validation": "validation",
    "test": "held-out audio",
    "unseen": "held-out audio and knobs",
}
MEAN, POOLED = "mean of settings", "as one recording"


def knobs_in_words(knobs: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in knobs.items()) or "no knobs"


def splits_of(rows: list[Row]) -> dict[str, list[Row]]:
    """-> {split: rows}, in order"""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.split, []).append(row)
    return groups


def table(rows: list[Row]) -> str:
    """-> a line for each setting and split: the model's metrics, the ESR of a plain gain and a curve, and the runtime's if it played"""
    through = rows and rows[0].through is not None
    heads = ["split", "knobs", "esr", "dB", "mae", "mse", "dc", "mr_stft", "mste", "gain esr", "curve esr"]
    heads += ["render esr", "difference", "largest"] if through else []
    lines = [heads]
    for split, group in splits_of(rows).items():
        lines += [_line(split, knobs_in_words(row.knobs), [row], mean) for row in group]
        if len(group) > 1:
            lines.append(_line(split, MEAN, group, mean))
            lines.append(
                _line(split, POOLED, group, lambda rows, part, metric: getattr(together(rows, part), metric))
            )
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(line, widths)).rstrip() for line in lines
    )


def verdict(rows: list[Row]) -> str:
    """-> a sentence that names the settings at which the model is no better than a plain gain"""
    worse = [
        f"{knobs_in_words(row.knobs)} ({SPLIT_WORDS[row.split]})"
        for row in rows
        if not row.model.esr < row.gain.esr  # NaN is no better, too
    ]
    if not worse:
        return "Closer to the device than a plain gain at every setting."
    if len(worse) == len(rows):
        return "No better than a plain gain at any setting."
    return f"No better than a plain gain at: {'; '.join(worse)}."


def _line(split: str, knobs: str, rows: list[Row], of: Callable[[list[Row], str, str], float]) -> list[str]:
    esr = of(rows, "model", "esr")
    words = [split, knobs, figure(esr), f"{decibels(esr):.1f}"]
    words += [figure(of(rows, "model", metric)) for metric in ("mae", "mse", "dc", "mr_stft", "mste")]
    words += [figure(of(rows, part, "esr")) for part in ("gain", "curve")]
    if rows[0].through is not None:
        rendered = of(rows, "through", "esr")
        words += [figure(rendered), change(rendered - esr), figure(max(row.difference for row in rows))]
    return words
