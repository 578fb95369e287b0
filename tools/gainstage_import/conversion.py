"""One import: a checkpoint and the user's facts become a model file. What was chosen for the user is printed as a
note."""

from __future__ import annotations

import argparse
import math
import os
import sys
from types import ModuleType
from typing import Any

from gainstage_files import model_file, new_file
from gainstage_files.model_file import Control
from gainstage_files.plain_text import LONGEST_LINE, shown
from gainstage_files.problem import Problem, cannot_write
from . import checkpoint, ed_lstm, grey_box, gru, lstm, s4d, s6, settings, tcn
from .take import Take

FAMILIES = {family.ARCHITECTURE: family for family in (ed_lstm, grey_box, gru, lstm, s4d, s6, tcn)}
MOST_NOTES = 20  # of tensors that are left out


def note(text: str) -> None:
    print(f"note: {shown(text, LONGEST_LINE)}", file=sys.stderr)


def note_left_out(names: list[str]) -> None:
    for name in names[:MOST_NOTES]:
        note(f"tensor {name}: not known to this family, left out")
    if len(names) > MOST_NOTES:
        note(f"{len(names) - MOST_NOTES} more tensors: left out as well")


def in_words(controls: list[Control]) -> str:
    return ", ".join(f"{each['name']} {each['min']:g} .. {each['max']:g}" for each in controls)


def converted(
    family: ModuleType, take: Take, controls: list[Control], asked: dict[str, Any], sample_rate: float
) -> tuple[Any, ...]:
    """The family's conversion. Tensors that no network has may break its arithmetic, which is their fault."""
    if len(controls) > settings.MOST_CONTROLS:
        raise Problem(
            f"controls: the tensors take {len(controls)}; at most {settings.MOST_CONTROLS} are supported"
        )
    try:
        return family.convert(take, controls, asked, sample_rate)
    except (ValueError, TypeError, ArithmeticError, LookupError) as problem:
        raise Problem(f"its tensors make no {family.ARCHITECTURE} ({problem})") from problem


def must_stay(output: str, *inputs: str | None) -> None:
    with cannot_write(output):
        new_file.must_differ(output, inputs)


def convert(options: argparse.Namespace) -> None:
    family = FAMILIES[options.family]
    must_stay(options.output, options.checkpoint, options.config)
    given = settings.read(options.config, family)
    tensors, found = checkpoint.load_for(family, options.checkpoint)
    for key in (k for k in found if k not in given and k != "controls"):
        note(f"{key}: {found[key]}, as the checkpoint says")
    facts = {**found, **given}
    take = Take(tensors)
    usual = family.SAMPLE_RATE(take) if callable(family.SAMPLE_RATE) else family.SAMPLE_RATE
    sample_rate = facts.get("sample_rate", usual)
    longest = math.floor(model_file.LONGEST_MEMORY_S * sample_rate)
    if given.get("memory_samples", 0) > longest:
        raise Problem(
            f"{options.config}: memory_samples: expected at most {longest} ({model_file.LONGEST_MEMORY_S:g} s), found "
            f"{given['memory_samples']}"
        )
    known = family.CONTROLS(take) if callable(family.CONTROLS) else family.CONTROLS
    controls = facts.get("controls", known)
    if controls and "controls" not in given and family is not ed_lstm:  # which tells of its own guess
        note(f"controls: {in_words(controls)}: a guess; name them with --config")
    if family is s6 or any("weight_hh" in name for name in take.names()):
        note("measures how long it remembers: seconds, for a large network minutes")
    asked = {key: facts.get(key, choices[0]) for key, choices in family.CONFIG.items()}
    tensors, config, forgets_s, inferred, *more = converted(family, take, controls, asked, sample_rate)
    for name, value in inferred.items():
        note(f"{name}: {value}, as its tensors are shaped")
    note_left_out(sorted(take.left))
    for key in (k for k in ("sample_rate", *family.CONFIG) if k not in facts and k not in inferred):
        note(
            f"{key}: {({'sample_rate': sample_rate, **asked, **config})[key]}, as in the published code; say otherwise with --config"
        )
    memory_samples = math.ceil(min(forgets_s, model_file.LONGEST_MEMORY_S) * sample_rate)
    others = {
        "source": f"{os.path.basename(options.checkpoint)} (imported)",
        **{key: given[key] for key in (*settings.TEXTS, "training") if key in given},
    }
    keys = model_file.metadata(
        family.ARCHITECTURE,
        config,
        sample_rate,
        controls,
        **{
            "memory_samples": given.get("memory_samples", memory_samples),
            **(more[0] if more else {}),
            **others,
        },
    )
    loose = new_file.note_on_loose_folder(options.output)
    if loose:
        note(loose)
    model_file.write(options.output, tensors, keys)
