"""Results of finished runs: one JSON file each. What is there with the same plan, and learned at least as
long, is not repeated."""

from __future__ import annotations

import json
import os
from typing import Any

from gainstage_files import foreign_file, new_file
from gainstage_files.problem import DATA, Problem
from .trial import Trial


Results = dict[str, dict[str, Any]]  # name -> {plan, asked, result}: an experiment's


class Store:
    def __init__(self, folder: str) -> None:
        self.folder = folder

    def path(self, key: str) -> str:
        return os.path.join(self.folder, key + ".json")

    def read(self, key: str) -> dict[str, Any] | None:
        """-> {plan, asked, result}, or None where there is none"""
        if not os.path.lexists(self.path(key)):
            return None
        try:
            entry = foreign_file.read_json(self.path(key))
            return {part: entry[part] for part in ("plan", "asked", "result")}
        except (Problem, KeyError, TypeError) as problem:
            raise Problem(
                f"{self.path(key)}: is no result; remove it and the run is repeated ({problem})", DATA
            ) from problem

    def holds(self, trial: Trial) -> bool:
        entry = self.read(trial.key)
        return (
            entry is not None
            and entry["plan"] == plain(trial.plan)
            and at_least(entry["asked"], trial.asked())
        )

    def write(self, trial: Trial, result: dict[str, Any]) -> None:
        new_file.make_folders(self.folder)
        entry = {"plan": trial.plan, "asked": trial.asked(), "result": result}
        lines = ",\n".join(f" {json.dumps(part)}: {json.dumps(value)}" for part, value in entry.items())
        new_file.write(self.path(trial.key), f"{{\n{lines}\n}}\n".encode())

    def results(self, experiment: str) -> Results:
        """-> {name: entry} of all that an experiment has, whatever it is asked for now"""
        if not os.path.isdir(self.folder):
            return {}
        keys = sorted(name[: -len(".json")] for name in os.listdir(self.folder) if name.endswith(".json"))
        entries = {key: self.read(key) for key in keys if key.startswith(experiment + "-")}
        return {key[len(experiment) + 1 :]: entry for key, entry in entries.items() if entry}


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """As they come back from a file."""
    return json.loads(json.dumps(values))


def at_least(stored: dict[str, float], asked: dict[str, float]) -> bool:
    """Did it learn as long as is asked for? No limit is the longest."""
    return all(
        stored[part] >= asked[part] if asked[part] else not stored[part] for part in ("minutes", "epochs")
    )
