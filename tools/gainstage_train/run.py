"""The work of the command: it reads the data, checks everything, trains, and writes the model and its card."""

import json
import os
import time
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from gainstage_files import new_file
from gainstage_files.problem import USAGE, Problem
from . import card, checkpoint, data, earlier_models, export, losses, processes, settings
from .baselines import setting_of
from .data.pairs import TEST, TRAIN, UNSEEN, VALIDATION
from .display import Display
from .figures import error, figure
from .interruption import Interruption
from .machine import chosen_device, in_words, keep_memory, slow_products, use_threads
from .models.model import Model
from .progress import Progress
from .schedule import Schedule, digest
from .train import Training

DEFAULT_MINUTES = 30.0
# Options for a schedule; of SAMPLES the names there and the options, in seconds.
SCHEDULED = "batch rate loss clip average_steps balance patience epochs minutes".split()
SAMPLES = {"segment_samples": "segment", "warm_samples": "warm", "tbptt_samples": "step"}
# Options that overrule the recipe, without the loss.
OVERRULING = ["rate", "schedule", "balance", "batch", "clip", "average_steps", *SAMPLES.values()]
ALIKE = 1 + 1e-6  # between two losses of the same weights, before and after they went through a file


class Run:
    def __init__(self, options: Namespace) -> None:
        self.options = options
        self.display = Display(options.quiet)
        self.minutes_before = 0.0
        self.place: processes.Place | None = None

    def go(self) -> int:
        """-> the exit code"""
        place = processes.started_apart()
        self.place = place
        if place is None or place.rank == 0:
            return self.told(self.lead)
        self.display = Display(quiet=True)
        try:
            return self.told(partial(self.follow, place))
        except Problem as problem:
            raise Problem(f"rank {place.rank}: {problem}", problem.exit_code) from problem

    def told(self, work: Callable[[], int]) -> int:
        """Calls work(). An exception before the processes work together ends the others, too."""
        try:
            return work()
        except BaseException as problem:
            if self.place and not self.place.facts:
                self.place.tell_failure(*in_short(problem))
            raise

    def lead(self) -> int:
        """The part of rank 0, or of the only process. -> the exit code"""
        options = self.options
        training = self.begun()
        if self.place:
            self.place.agree(self.facts(training))
        with Interruption() as interrupted:
            reason = training.run(interrupted, self.display.show)
            self.display.close()
            if reason is None:
                self.display.say(
                    f"interrupted; the same command goes on from {checkpoint.path_of(options.output)}"
                )
                return 128 + (interrupted.number or training.wish)
        self.finish(training, reason)
        return 0

    def follow(self, place: processes.Place) -> int:
        """The part of the other ranks: they read the same data and do their share of the work. -> the exit code"""
        training = self.begun()
        place.agree(self.facts(training))
        with Interruption() as interrupted:
            return training.share(lambda: interrupted.number)

    def facts(self, training: Training) -> dict:
        """What must be the same in all processes that train together."""
        return {**training.identity, **processes.versions(), "device": self.device.split(":")[0]}

    def begun(self) -> Training:
        """-> the training, at its beginning or where it goes on"""
        options = self.options
        leads = self.place is None or self.place.rank == 0
        self.check_usage(leads)
        self.device = chosen_device(options.device, self.place)
        use_threads(options.threads, self.size)
        keep_memory()
        if leads and options.fresh and os.path.exists(checkpoint.path_of(options.output)):
            os.unlink(checkpoint.path_of(options.output))
        self.dataset = data.load(options.data, options.align, options.sample_rate)
        for note in self.dataset.notes:
            self.display.say(note)
        torch.manual_seed(options.seed)
        self.model = settings.build(
            options.model, dict(options.options), self.dataset.controls, self.dataset.sample_rate
        )
        if options.start:
            self.minutes_before = earlier_models.begin_from(options.start, self.model)
        return self.prepared() if leads else self.new_training()

    @property
    def size(self) -> int:
        """The number of processes that train together."""
        return self.place.size if self.place else self.options.processes

    def check_usage(self, writes: bool) -> None:
        """writes: this process writes the model."""
        options = self.options
        if not options.output.endswith(".safetensors"):
            raise Problem(f"{options.output}: expected a name that ends in .safetensors", USAGE)
        if options.loss:
            losses.Loss(options.loss)
        settings.check(options.model, dict(options.options))
        if self.place and options.processes not in (1, self.size):
            raise Problem(
                f"--processes {options.processes}: {self.size} processes were started already (WORLD_SIZE): leave it out",
                USAGE,
            )
        if options.processes > 1 and not self.place and chosen_device(options.device) != "cpu":
            raise Problem(
                "--processes shares the work among the cores of a processor: give --device cpu, leave it out, or start one process for "
                "each GPU by torchrun",
                USAGE,
            )
        if not writes:
            return
        checkpoint.must_be_writable(options.output)
        if loose := new_file.note_on_loose_folder(options.output):
            self.display.say(loose)

    def schedule(self) -> Schedule:
        options, rate = self.options, self.dataset.sample_rate
        given = {key: getattr(options, key) for key in SCHEDULED} | {"decay": options.schedule}
        for samples, seconds in SAMPLES.items():
            value = getattr(options, seconds)
            given[samples] = None if value is None else max(0, round(value * rate))
        if not options.minutes and not options.epochs:
            given["minutes"] = DEFAULT_MINUTES
        schedule = Schedule.made(self.model.recipe, seed=options.seed, **given)
        schedule.loss = losses.Loss(schedule.loss).text
        schedule.fit(self.model.frame, max((len(pair.dry) for pair in self.dataset.of(TRAIN)), default=1))
        schedule.check(self.dataset)
        return schedule

    def new_training(self) -> Training:
        options, schedule = self.options, self.schedule()
        identity = {
            "model": options.model,
            "settings": json.dumps(dict(options.options), sort_keys=True),
            "data": digest(self.dataset),
            **schedule.identity(),
        }
        return Training(
            self.model,
            self.dataset,
            schedule,
            options.output,
            identity,
            self.write_best,
            self.display.say,
            self.device,
            learned=bool(options.start),
            processes=options.processes,
            place=self.place,
        )

    def prepared(self) -> Training:
        """Says what is known before it begins. -> the training, at its beginning or where it goes on"""
        options, say = self.options, self.display.say
        training = self.training = self.new_training()
        say(
            f"{self.model.describe()}; {self.model.parameter_count()} parameters, {self.model.operations():.0f} operations a sample"
        )
        say(
            f"learns from {figure(self.minutes(TRAIN))} min, judged by {figure(self.minutes(VALIDATION))} min of recordings at "
            f"{self.dataset.sample_rate:g} Hz; on {in_words(self.device, self.size)}"
        )
        if self.device == "cpu" and slow_products():
            say(
                "matrices are multiplied by a slow library here: with a faster one (Debian: apt install libopenblas0-serial) learning takes a "
                "fraction of the time"
            )
        self.plain_gain = training.validation.plain_gain()
        say(f"a plain gain instead would have esr {error(self.plain_gain)}")
        if training.resume():
            say(
                f"goes on after {figure(training.at.elapsed_s / 60)} min, at epoch {training.epochs_done():.2f}"
            )
        self.standing_loss = earlier_models.loss_of(options.output, training)
        if self.standing_loss is not None:
            say(
                f"{options.output} is there already, with {training.schedule.loss} {figure(self.standing_loss)} here: it stays until something better is "
                "learned"
            )
        elif os.path.exists(options.output):
            say(
                f"{options.output} is there already and can't be compared with this model: the first model will replace it"
            )
        return training

    def minutes(self, split: str) -> float:
        return self.dataset.seconds(split) / 60

    def texts(self, training: Training) -> dict[str, Any]:
        """-> the texts of the model file: its history, for the card and for whoever asks later"""
        at, schedule, options = training.at, training.schedule, self.options
        story = {
            "tool": "gainstage train",
            "model": options.model,
            "settings": dict(options.options),
            "title": options.title,
            "data": self.data_in_words(),
            "machine": in_words(self.device, self.size),
            "loss": schedule.loss,
            "epochs": round(at.best_epoch, 2),
            "validations": len(at.history),
            "minutes": round(at.elapsed_s / 60, 2),
            "validation_loss": at.best,
            "validation_esr": at.best_esr,
            "seed": schedule.seed,
            "limit_minutes": schedule.minutes,
            "limit_epochs": schedule.epochs,
            "given": {
                name: getattr(options, name) for name in OVERRULING if getattr(options, name) is not None
            },
            "date": time.strftime("%Y-%m-%d"),
        }
        if self.size > 1:
            story["given"]["processes"] = self.size  # another number gives other weights
        if self.minutes_before:
            story["minutes_before"] = round(self.minutes_before, 2)
        given = {key: getattr(options, key) for key in ("license", "author") if getattr(options, key)}
        return {"source": self.dataset.source, "training": story, **given}

    def data_in_words(self) -> str:
        places = len({setting_of(pair) for pair in self.dataset.of(TRAIN)})
        parts = ", ".join(
            f"{figure(self.minutes(split))} min {words}"
            for split, words in (
                (TRAIN, f"of training at {places} setting{'s' if places > 1 else ''}"),
                (VALIDATION, "of validation"),
                (TEST, "held out"),
                (UNSEEN, "held out at other settings"),
            )
            if self.dataset.of(split)
        )
        return f"{parts}, {self.dataset.sample_rate:g} Hz"

    def write_best(self, model: Model, _: Progress) -> None:
        if not self.is_worse(self.training):
            export.quickly(model, self.options.output, **self.texts(self.training))

    def is_worse(self, training: Training) -> bool:
        """Whether the model that is there already is better."""
        return self.standing_loss is not None and training.at.best > self.standing_loss * ALIKE

    def finish(self, training: Training, reason: str) -> None:
        """Says how it ended and writes the model with its card."""
        options, say, output = self.options, self.display.say, self.options.output
        say(f"done: {reason}; {verdict(training.at.best_esr, self.plain_gain)}")
        if self.is_worse(training):
            output = earlier_models.free_name(output)
            say(f"{options.output} stays: what was learned is no better, and goes beside it")
        export.export(self.model, output, **self.texts(training))
        path = card.write(output, self.model, self.dataset)
        say(f"wrote {output} and {path}")
        if os.path.exists(checkpoint.path_of(options.output)):
            os.unlink(checkpoint.path_of(options.output))


def verdict(esr: float, plain_gain: float) -> str:
    """The model's error beside that of a plain gain, and whether it is worth its training."""
    both = f"best esr {error(esr)}, a plain gain has {error(plain_gain)}"
    if esr < plain_gain:
        return both
    return (
        f"{both}: the model is no better than a plain gain. Train it longer (--minutes), try another MODEL, or check that the wet recordings "
        "are what the device made of the dry ones"
    )


def in_short(problem: BaseException) -> tuple[str, int]:
    """-> text and exit code of an exception, for the other processes"""
    if isinstance(problem, Problem):
        return str(problem), problem.exit_code
    if isinstance(problem, SystemExit):  # a signal: standard_streams
        return "it was interrupted", problem.code if isinstance(problem.code, int) else 1
    return f"{type(problem).__name__}: {processes.first_line(problem)}", 1
