"""The knobs of a data set, as a model file declares them, and the rule that maps their units to what a
network gets."""

from __future__ import annotations

import math
from typing import Any

from gainstage_files import foreign_file, model_file
from gainstage_files.model_file import Control
from gainstage_files.problem import Problem
from .table import Row


def control(
    name: str, unit: str, low: float, high: float, default: float, steps: int | None = None
) -> Control:
    """A knob of min..max, mapped evenly to -1..1 (the grey-box paper, section 3.1); a switch of two to
    0..1."""
    span = high - low
    if steps == 2:
        scale, offset = 1.0 / span, -low / span
    else:
        scale, offset = (2.0 / span, -(high + low) / span) if span > 0.0 else (1.0, -low)
    out = model_file.control(name, unit, low, high, default, scale, offset)
    if steps is not None:
        out["steps"] = steps
    return out


def of_names(where: str, names: list[str], remedy: str) -> list[str]:
    """What the runtime would refuse once everything is learned. remedy: "rename the column"."""
    problems, taken = [], [name for name in names if model_file.name_fault(name) is None]
    for name in names:
        fault = model_file.name_fault(name)
        if fault:
            taken.append(model_file.usable_name(name, taken))
            problems.append(f"{where}: {name}: {fault}; {remedy} {taken[-1]}")
    if len(names) > model_file.MOST_CONTROLS:
        problems.append(f"{where}: {len(names)} knobs; at most {model_file.MOST_CONTROLS} can be played")
    return problems


def inferred(name: str, values: list[float]) -> Control:
    """A knob known only by the settings it was recorded at: their range; in the middle by default, at the
    setting nearest to it. 0 and 1 alone make a switch."""
    low, high = min(values), max(values)
    steps = 2 if set(values) == {0.0, 1.0} else None
    middle = (low + high) / 2.0
    return control(
        name, "", low, high, min(sorted(set(values)), key=lambda value: abs(value - middle)), steps
    )


def completed(entry: dict[str, Any], values: list[float]) -> Control:
    """A knob of controls.json, with what it leaves out: name is required; min and max as recorded, default in
    the middle, to_model as above."""
    low = float(entry.get("min", min(values)))
    high = float(entry.get("max", max(values)))
    steps = int(entry["steps"]) if "steps" in entry else None
    default = float(entry.get("default", (low + high) / 2.0))
    out = control(str(entry["name"]), str(entry.get("unit", "")), low, high, default, steps)
    if "to_model" in entry:
        out["to_model"] = {key: float(entry["to_model"][key]) for key in ("scale", "offset")}
    return out


def of_file(path: str, names: list[str], rows: list[Row]) -> tuple[list[Control], str, list[str]]:
    """controls.json (an object with `controls` and `source`, or the list alone) -> (controls, source,
    problems)."""
    try:
        content = json_of(path)
        entries = content["controls"] if isinstance(content, dict) else content
        source = str(content.get("source", "")) if isinstance(content, dict) else ""
        listed = [str(entry["name"]) for entry in entries]
        problems = [
            f"{path}: {name} has no column in pairs.csv; add it, or take the knob out"
            for name in listed
            if name not in names
        ]
        problems += of_names(path, listed, "name it")
        problems += [
            f"{path}: {name} is missing, a column of pairs.csv; describe it, or take the column out"
            for name in names
            if name not in listed
        ]
        if problems:
            return [], source, problems
        controls = [completed(entry, [row.knobs[entry["name"]] for row in rows]) for entry in entries]
    except Problem as problem:
        return (
            [],
            "",
            [
                f"{path}: expected knobs with name, unit, min, max, default: {str(problem).removeprefix(f'{path}: ')}"
            ],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        return (
            [],
            "",
            [
                f"{path}: expected knobs with name, unit, min, max, default: {type(problem).__name__}: {problem}"
            ],
        )
    return controls, source, of_ranges(path, controls, rows)


def json_of(path: str) -> Any:
    """-> an object or a list. Raises Problem."""
    return foreign_file.parse_json(foreign_file.read(path, foreign_file.LARGEST_JSON), path, (dict, list))


def of_ranges(path: str, controls: list[Control], rows: list[Row]) -> list[str]:
    problems = []
    for each in controls:
        name, low, high = each["name"], each["min"], each["max"]
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            problems.append(f"{path}: {name}: min {low:g} and max {high:g}; expected a min below the max")
        if not 2 <= each.get("steps", 2) <= model_file.MOST_STEPS:
            problems.append(f"{path}: {name}: steps {each['steps']}; expected 2 to {model_file.MOST_STEPS}")
        if not low <= each["default"] <= high:
            problems.append(f"{path}: {name}: default {each['default']:g} lies outside {low:g}..{high:g}")
        problems += [
            f"pairs.csv, line {row.line}: {name} {row.knobs[name]:g} lies outside {low:g}..{high:g} of "
            "controls.json"
            for row in rows
            if not low <= row.knobs[name] <= high
        ]
    return problems
