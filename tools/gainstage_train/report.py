"""Rows of measurements as tables: for a terminal, and for a card."""

from .evaluation import mean, together
from .scores import decibels

SPLIT_WORDS = {"train": "trained audio", "validation": "validation", "test": "held-out audio", "unseen": "held-out audio and knobs"}
MEAN, POOLED = "mean of settings", "as one recording"


def knobs_in_words(knobs):
    return ", ".join(f"{name} {value:g}" for name, value in knobs.items()) or "no knobs"


def splits_of(rows):
    """-> {split: rows}, in order"""
    groups = {}
    for row in rows:
        groups.setdefault(row.split, []).append(row)
    return groups


def table(rows):
    """Every setting and split: the model's metrics, the ESR of what needs no training; through the runtime where it was."""
    through = rows and rows[0].through is not None
    heads = ["split", "knobs", "esr", "dB", "mae", "mse", "dc", "mr_stft", "mste", "gain esr", "curve esr"]
    heads += ["render esr", "difference", "largest"] if through else []
    lines = [heads]
    for split, group in splits_of(rows).items():
        lines += [_line(split, knobs_in_words(row.knobs), [row], mean) for row in group]
        if len(group) > 1:
            lines.append(_line(split, MEAN, group, mean))
            lines.append(_line(split, POOLED, group, lambda rows, part, metric: getattr(together(rows, part), metric)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join("  ".join(word.ljust(width) for word, width in zip(line, widths)).rstrip() for line in lines)


def _line(split, knobs, rows, of):
    esr = of(rows, "model", "esr")
    words = [split, knobs, f"{esr:.4g}", f"{decibels(esr):.1f}"]
    words += [f"{of(rows, 'model', metric):.3g}" for metric in ("mae", "mse", "dc", "mr_stft", "mste")]
    words += [f"{of(rows, part, 'esr'):.4g}" for part in ("gain", "curve")]
    if rows[0].through is not None:
        rendered = of(rows, "through", "esr")
        words += [f"{rendered:.4g}", f"{rendered - esr:+.1e}", f"{max(row.difference for row in rows):.1e}"]
    return words
