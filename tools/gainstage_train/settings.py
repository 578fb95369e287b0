"""What --set says of a model: checked against its constructor, whose defaults show what there is."""

from __future__ import annotations

import inspect
import json
from typing import Any

from gainstage_files.model_file import Control
from gainstage_files.problem import USAGE, Problem
from . import models
from .models import Model


def known(name: str) -> dict[str, Any]:
    """-> {setting: default} of a kind of model"""
    parameters = inspect.signature(models.class_of(name)).parameters
    return {key: p.default for key, p in parameters.items() if key not in ("self", "controls", "sample_rate")}


def check(name: str, given: dict[str, Any]) -> None:
    """given: {setting: value}. Names, and values of the kind that the default is of."""
    choices = known(name)
    for key, value in given.items():
        if key not in choices:
            raise Problem(f"--set {key}: {name} has no such setting; it has {in_words(choices)}", USAGE)
        if not _alike(value, choices[key]):
            raise Problem(
                f"--set {key}={in_word(value)}: expected something like {in_word(choices[key])}", USAGE
            )
    for key in models.class_of(name).idle({**choices, **given}):
        if key in given:
            raise Problem(
                f"--set {key}: does nothing in a {name} with {in_words({k: v for k, v in given.items() if k != key} or choices)}; "
                "leave it out",
                USAGE,
            )


def build(name: str, given: dict[str, Any], controls: list[Control], sample_rate: float) -> Model:
    """-> a new model. What its own code finds wrong with the settings is said as one problem."""
    try:
        return models.build(name, controls, sample_rate, **given)
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as problem:
        if not given:
            raise
        raise Problem(
            f"--set {' --set '.join(f'{key}={in_word(value)}' for key, value in given.items())}: no {name} can be made of this "
            f"({type(problem).__name__}: {problem}); it would have {in_words(known(name))}",
            USAGE,
        ) from problem


def in_words(settings: dict[str, Any]) -> str:
    return ", ".join(f"{key}={in_word(value)}" for key, value in settings.items())


def in_word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _alike(value: Any, default: Any) -> bool:
    if default is None:
        return True
    if isinstance(default, (list, tuple)):
        return isinstance(value, list) and all(_is_count(one) for one in value)
    if isinstance(default, bool) or isinstance(default, str):
        return isinstance(value, type(default))
    if isinstance(default, int):
        return _is_count(value)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
