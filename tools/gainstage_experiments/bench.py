"""Where runs happen: data sets made on first use, models trained with what an interruption leaves, the
clock's scale."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import torch

from gainstage_files import new_file
from gainstage_files.problem import Problem
from gainstage_train import checkpoint, data, export, settings
from gainstage_train.data import generate
from gainstage_train.data.pairs import Dataset
from gainstage_train.machine import in_words
from gainstage_train.models import Model
from gainstage_train.schedule import Schedule, digest
from gainstage_train.train import Training
from .trial import Trial


class Interrupted(Exception):
    pass


class Bench:
    """folder: for data sets and weights, which may be removed at any time. models: the shipped ones'
    folder."""

    def __init__(
        self,
        folder: str,
        models: str,
        device: str = "cpu",
        say: Callable[[str], None] = print,
        interrupted: Callable[[], bool] = lambda: False,
        recordings: str | None = None,
    ) -> None:
        self.folder, self.models, self.device, self.say, self.interrupted = (
            folder,
            models,
            device,
            say,
            interrupted,
        )
        self.recordings = recordings
        self.loaded: dict[str, Dataset] = {}

    def data(self, arguments: str) -> Dataset:
        """-> Dataset of `python3 -m gainstage_train.data.generate ARGUMENTS`, made on first use; the last one
        stays in memory."""
        if arguments not in self.loaded:
            path = os.path.join(self.folder, "-".join(arguments.replace("--", "").replace(",", "_").split()))
            if not os.path.isfile(os.path.join(path, "pairs.csv")):
                self.say(f"makes {path}")
                new_file.make_folders(self.folder)
                folder = ["--recordings", self.recordings] if self.recordings else []
                generate.generate(generate.parse([*arguments.split(), "-o", path, *folder]))
            self.loaded = {arguments: data.load(path)}
        return self.loaded[arguments]

    def weights(self, key: str) -> str:
        new_file.make_folders(self.folder)
        return os.path.join(self.folder, key + ".safetensors")

    def built(self, name: str, given: dict[str, Any], dataset: Dataset, seed: int) -> Model:
        torch.manual_seed(seed)
        return settings.build(name, given, dataset.controls, dataset.sample_rate)

    def trained(
        self,
        trial: Trial,
        name: str,
        given: dict[str, Any],
        dataset: Dataset,
        recipe: dict[str, Any] | None = None,
        seed: int = 1,
        prepare: Callable[[Any], None] = lambda model: None,
    ) -> tuple[Model, dict[str, Any]]:
        """-> (the best model, facts about its training). Goes on where an interrupted one was. recipe: over
        the model's own; prepare(model): before anything is learned."""
        model, output = self.built(name, given, dataset, seed), self.weights(trial.key)
        prepare(model)
        limits = {"minutes": trial.minutes or None, "epochs": trial.epochs or None}
        plan = Schedule.made(model.recipe, seed=seed, **limits, **(recipe or {}))
        plan.fit(model.frame, max(len(pair.dry) for pair in dataset.of("train")))
        plan.check(dataset)
        story: dict[str, Any] = {"tool": "gainstage train", "model": name, "settings": given}
        identity = {
            **story,
            "settings": json.dumps(given, sort_keys=True),
            "data": digest(dataset),
            **plan.identity(),
        }
        training = Training(
            model,
            dataset,
            plan,
            output,
            identity,
            lambda better, _: export.quickly(better, output, training=story),
            lambda text: None,
            self.device,
        )
        try:
            if training.resume():
                self.say(f"  goes on after {training.at.elapsed_s / 60:.1f} min")
        except Problem:  # an interrupted run of another recipe
            self.forget(trial)
            self.say("  begins anew: what was interrupted was learned otherwise")
        if training.run(self.interrupted) is None:
            raise Interrupted
        at = training.at
        facts: dict[str, Any] = {
            "minutes": round(at.elapsed_s / 60, 2),
            "epochs": round(training.epochs_done(), 2),
            "steps": at.steps,
            "validation_esr": at.best_esr,
            "machine": in_words(self.device),
            "loss": plan.loss,
            **self.described(model),
        }
        return model.eval(), facts

    @staticmethod
    def described(model: Model) -> dict[str, Any]:
        return {
            "description": model.describe(),
            "parameters": model.parameter_count(),
            "operations": model.operations(),
        }

    def forget(self, trial: Trial) -> None:
        """What an interruption would go on from, of a run whose result is stored."""
        path = checkpoint.path_of(self.weights(trial.key))
        if os.path.exists(path):
            os.unlink(path)
