"""The whole command: which runs there are, which are missing, one after the other; then the page."""

from __future__ import annotations

import argparse
import os
import sys
from types import ModuleType

from gainstage_files import new_file
from gainstage_files.plain_text import message
from gainstage_files.problem import USAGE, Problem
from gainstage_train.interruption import Interruption
from gainstage_train.machine import chosen_device, keep_memory, use_threads
from . import __main__ as command, ablation, density, families, page, step, tones, toy
from .bench import Bench, Interrupted
from .store import Store
from .trial import Trial

EXPERIMENTS: tuple[ModuleType, ...] = (toy, families, density, ablation, step, tones)


def say(text: str) -> None:
    print(message(text), file=sys.stderr, flush=True)


class Course:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.store = Store(options.results)
        own = os.path.abspath(options.results) != os.path.join(command.HERE, "results")
        self.page = options.page or os.path.join(options.results if own else command.HERE, "RESULTS.md")

    def go(self) -> int:
        """-> the exit code"""
        options = self.options
        use_threads(options.threads)
        keep_memory()
        with Interruption() as interrupted:
            bench = Bench(
                options.work,
                options.models,
                chosen_device(options.device),
                say,
                interrupted,
                options.recordings,
            )
            trials = self.chosen(bench)
            missing = [trial for trial in trials if not self.store.holds(trial)]
            say(f"{len(trials)} runs, {len(trials) - len(missing)} of them there already")
            if options.list:
                print("\n".join(f"{trial.key}{'' if trial in missing else '  (there)'}" for trial in trials))
                return 0
            try:
                for trial in missing:
                    self.run(bench, trial)
            except Interrupted:
                say("interrupted; the same command goes on")
                return 128 + interrupted.number
        self.write_page()
        return 0

    def chosen(self, bench: Bench) -> list[Trial]:
        names = self.options.names or command.NAMES
        trials = [
            trial.shortened(self.options.minutes_scale)
            for experiment in EXPERIMENTS
            for trial in experiment.trials(bench)
            if any(trial.key == name or experiment.NAME == name for name in names)
        ]
        known = {experiment.NAME for experiment in EXPERIMENTS} | {trial.key for trial in trials}
        for name in names:
            if name not in known:
                raise Problem(f"{name}: there is no such run; --list shows them", USAGE)
        return trials

    def run(self, bench: Bench, trial: Trial) -> None:
        say(f"{trial.key}" + (f", {trial.minutes:g} min" if trial.minutes else ""))
        if bench.interrupted():
            raise Interrupted
        self.store.write(trial, trial.work(bench, trial))
        bench.forget(trial)
        self.write_page()

    def write_page(self) -> None:
        """After every run: an interruption leaves a page of all that is there."""
        results = {experiment: self.store.results(experiment.NAME) for experiment in EXPERIMENTS}
        folder = os.path.dirname(os.path.abspath(self.page))
        new_file.make_folders(folder)
        step.draw(results[step], folder)
        page.write(self.page, results, command.HERE)
