"""What the user adds to, or says otherwise than, the family: the file given with --config."""

from __future__ import annotations

import json
import math
from types import ModuleType
from typing import Any

from gainstage_files import foreign_file
from gainstage_files.problem import Problem

LARGEST_NUMBER = 1e300
TEXTS = ("license", "author", "source")
LOWEST_RATE, HIGHEST_RATE = 1000, 768000  # Hz, as the runtime takes them
MOST_CONTROLS = 64
MOST_SAMPLES = (1 << 31) - 1
KEYS = ("sample_rate", "controls", "memory_samples", "training", *TEXTS)


class WholeNumbers(tuple[Any, ...]):
    """The choices of an option that is a number: its default, then low to high."""

    def __new__(cls, default: int, low: int, high: int) -> WholeNumbers:
        choices: Any = (default, *range(low, high + 1))
        return super().__new__(cls, choices)


def read(path: str | None, family: ModuleType) -> dict[str, Any]:
    """-> the file's keys, checked; {} without a file. Keys besides KEYS are the family's own (its CONFIG)."""
    if path is None:
        return {}
    settings = foreign_file.read_json(path)
    for key, value in settings.items():
        check(f"{path}: {key}", key, value, family)
    return settings


def check(where: str, key: str, value: Any, family: ModuleType) -> None:
    if key in family.CONFIG:
        choices = family.CONFIG[key]
        if not is_one_of(value, choices):
            raise Problem(f"{where}: found {foreign_file.quoted(value)}; expected {words(choices)}")
    elif key not in KEYS:
        known = ", ".join((*KEYS, *family.CONFIG))
        raise Problem(f"{where}: unknown key; known are {known}")
    elif key in TEXTS and not isinstance(value, str):
        raise Problem(f"{where}: expected text")
    elif key == "sample_rate" and not is_rate(value):
        raise Problem(
            f"{where}: expected {LOWEST_RATE} to {HIGHEST_RATE} Hz, found {foreign_file.quoted(value)}"
        )
    elif key == "memory_samples" and not is_count(value):
        raise Problem(f"{where}: expected a whole number from 0 on, found {foreign_file.quoted(value)}")
    elif key == "controls":
        check_controls(where, value)
    elif key == "training" and not isinstance(value, dict):
        raise Problem(f"{where}: expected an object")


def words(choices: tuple[Any, ...]) -> str:
    if isinstance(choices, WholeNumbers):
        return f"a whole number, {choices[1]} to {choices[-1]}"
    return "one of " + ", ".join(
        choice if isinstance(choice, str) else json.dumps(choice) for choice in choices
    )


def is_one_of(value: Any, choices: tuple[Any, ...]) -> bool:
    """By value and type: 1 is not True. A foreign value is compared only with one of its own type."""
    return any(type(value) is type(choice) and value == choice for choice in choices)


def is_number(value: Any, above: float = -math.inf) -> bool:
    return type(value) in (int, float) and above < value < LARGEST_NUMBER


def is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MOST_SAMPLES


def is_rate(value: Any) -> bool:
    return is_number(value) and LOWEST_RATE <= value <= HIGHEST_RATE


def check_controls(where: str, controls: Any) -> None:
    if not isinstance(controls, list):
        raise Problem(f"{where}: expected an array")
    if len(controls) > MOST_CONTROLS:
        raise Problem(f"{where}: has {len(controls)} entries; at most {MOST_CONTROLS} are supported")
    for place, control in enumerate(controls):
        at = f"{where}[{place}]"
        if not isinstance(control, dict):
            raise Problem(f"{at}: expected an object")
        for key in ("name", "unit"):
            if not isinstance(control.get(key), str):
                raise Problem(f"{at}: {key}: expected text")
        for key in ("min", "max", "default"):
            if not is_number(control.get(key)):
                raise Problem(f"{at}: {key}: expected a number")
        scale = control.setdefault("to_model", {"scale": 1.0, "offset": 0.0})
        if not isinstance(scale, dict) or not all(is_number(scale.get(key)) for key in ("scale", "offset")):
            raise Problem(f"{at}: to_model: expected an object with numbers scale and offset")
        if not control["min"] < control["max"] or not control["min"] <= control["default"] <= control["max"]:
            raise Problem(f"{at}: expected min < max and default between them")
