"""RESULTS.md: the words of words.md with every {{experiment}} replaced by what is computed from its
results."""

from __future__ import annotations

import os
import re
from types import ModuleType
from typing import Any

from gainstage_files import new_file
from gainstage_files.problem import cannot_write

WORDS = "words.md"


def text(words: str, results: dict[ModuleType, dict[str, dict[str, Any]]]) -> str:
    """words: a template; results: {experiment: {name: entry}}. A template without an experiment's place is a
    mistake here."""
    sections = {experiment.NAME: experiment.section(entries) for experiment, entries in results.items()}
    places = set(re.findall(r"\{\{(\w+)\}\}", words))
    if places != set(sections):
        raise ValueError(f"{WORDS} has places for {sorted(places)}, and there are {sorted(sections)}")
    return re.sub(r"\{\{(\w+)\}\}", lambda place: sections[place[1]], words)


def write(path: str, results: dict[ModuleType, dict[str, dict[str, Any]]], folder: str) -> None:
    with open(os.path.join(folder, WORDS), encoding="utf-8") as file:
        content = text(file.read(), results)
    with cannot_write(path):
        new_file.write(path, content.encode())
