"""One command's work: reads the data, checks everything, trains, writes the model and its card."""

import json
import os
import time

import torch

from gainstage_files import new_file
from gainstage_files.problem import USAGE, Problem
from . import card, checkpoint, data, earlier_models, export, losses, settings
from .baselines import setting_of
from .data.pairs import TEST, TRAIN, UNSEEN, VALIDATION
from .display import Display
from .interruption import Interruption
from .machine import chosen_device, in_words, keep_memory, slow_products, use_threads
from .schedule import Schedule, digest
from .train import Training

DEFAULT_MINUTES = 30.0
SCHEDULED = ("batch", "rate", "loss", "clip", "average_steps", "balance", "patience", "epochs", "minutes")  # of options, for a schedule
SAMPLES = {"segment_samples": "segment", "warm_samples": "warm", "tbptt_samples": "step"}  # of a schedule; seconds of options
OVERRULING = ("rate", "schedule", "balance", "batch", "clip", "average_steps", *SAMPLES.values())  # options over the recipe, but for the loss
ALIKE = 1 + 1e-6  # between a loss and the same one again, of weights that went through a file


class Run:
    def __init__(self, options):
        self.options = options
        self.display = Display(options.quiet)
        self.minutes_before = 0.0

    def go(self):
        """-> the exit code"""
        options = self.options
        self.check_usage()
        self.device = chosen_device(options.device)
        use_threads(options.threads, options.processes)
        keep_memory()
        if options.fresh and os.path.exists(checkpoint.path_of(options.output)):
            os.unlink(checkpoint.path_of(options.output))
        self.dataset = data.load(options.data, options.align, options.sample_rate)
        for note in self.dataset.notes:
            self.display.say(note)
        torch.manual_seed(options.seed)
        self.model = settings.build(options.model, dict(options.options), self.dataset.controls, self.dataset.sample_rate)
        if options.start:
            self.minutes_before = earlier_models.begin_from(options.start, self.model)
        training = self.prepared()
        with Interruption() as interrupted:
            reason = training.run(interrupted, self.display.show)
            self.display.close()
            if reason is None:
                self.display.say(f"interrupted; the same command goes on from {checkpoint.path_of(options.output)}")
                return 128 + interrupted.number
        self.finish(training, reason)
        return 0

    def check_usage(self):
        options = self.options
        if not options.output.endswith(".safetensors"):
            raise Problem(f"{options.output}: expected a name that ends in .safetensors", USAGE)
        if options.loss:
            losses.Loss(options.loss)
        settings.check(options.model, dict(options.options))
        if options.processes > 1 and chosen_device(options.device) != "cpu":
            raise Problem("--processes shares the work among the cores of a processor: give --device cpu, or leave it out", USAGE)
        checkpoint.must_be_writable(options.output)
        if loose := new_file.note_on_loose_folder(options.output):
            self.display.say(loose)

    def schedule(self):
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

    def prepared(self):
        """-> the training, as it begins or goes on."""
        options, say = self.options, self.display.say
        schedule = self.schedule()
        identity = {"model": options.model, "settings": json.dumps(dict(options.options), sort_keys=True),
                    "data": digest(self.dataset), **schedule.identity()}
        training = self.training = Training(self.model, self.dataset, schedule, options.output, identity, self.write_best, say, self.device,
                                            learned=bool(options.start), processes=options.processes)
        say(f"{self.model.describe()}; {self.model.parameter_count()} parameters, {self.model.operations():.0f} operations a sample")
        say(f"learns from {self.minutes(TRAIN):.1f} min, judged by {self.minutes(VALIDATION):.1f} min of recordings at "
            f"{self.dataset.sample_rate:g} Hz; on {in_words(self.device, options.processes)}")
        if self.device == "cpu" and slow_products():
            say("matrices are multiplied by a slow library here: with a faster one (Debian: apt install libopenblas0-serial) learning takes a "
                "fraction of the time")
        say(f"a plain gain instead would have esr {training.validation.plain_gain():.4g}")
        if training.resume():
            say(f"goes on after {training.at.elapsed_s / 60:.1f} min, at epoch {training.epochs_done():.2f}")
        self.standing_loss = earlier_models.loss_of(options.output, training)
        if self.standing_loss is not None:
            say(f"{options.output} is there already, with {schedule.loss} {self.standing_loss:.4g} here: it stays until something better is "
                "learned")
        elif os.path.exists(options.output):
            say(f"{options.output} is there already, and nothing that can be compared: the first model will replace it")
        return training

    def minutes(self, split):
        return self.dataset.seconds(split) / 60

    def texts(self, training):
        """Of the model file: how it came about, for the card and whoever asks later."""
        at, schedule, options = training.at, training.schedule, self.options
        story = {"tool": "gainstage train", "model": options.model, "settings": dict(options.options), "title": options.title,
                 "data": self.data_in_words(), "machine": in_words(self.device, options.processes), "loss": schedule.loss, "epochs": round(at.best_epoch, 2),
                 "validations": len(at.history), "minutes": round(at.elapsed_s / 60, 1), "validation_loss": at.best,
                 "validation_esr": at.best_esr, "seed": schedule.seed, "limit_minutes": schedule.minutes, "limit_epochs": schedule.epochs,
                 "given": {name: getattr(options, name) for name in OVERRULING if getattr(options, name) is not None},
                 "date": time.strftime("%Y-%m-%d")}
        if options.processes > 1:
            story["given"]["processes"] = options.processes  # other sums, other weights
        if self.minutes_before:
            story["minutes_before"] = round(self.minutes_before, 1)
        given = {key: getattr(options, key) for key in ("license", "author") if getattr(options, key)}
        return {"source": self.dataset.source, "training": story, **given}

    def data_in_words(self):
        places = len({setting_of(pair) for pair in self.dataset.of(TRAIN)})
        parts = ", ".join(f"{self.minutes(split):.1f} min {words}" for split, words in
                          ((TRAIN, f"of training at {places} setting{'s' if places > 1 else ''}"), (VALIDATION, "of validation"),
                           (TEST, "held out"), (UNSEEN, "held out at other settings")) if self.dataset.of(split))
        return f"{parts}, {self.dataset.sample_rate:g} Hz"

    def write_best(self, model, _):
        if not self.is_worse(self.training):
            export.quickly(model, self.options.output, **self.texts(self.training))

    def is_worse(self, training):
        """than what is there already"""
        return self.standing_loss is not None and training.at.best > self.standing_loss * ALIKE

    def finish(self, training, reason):
        options, say, output = self.options, self.display.say, self.options.output
        say(f"done: {reason}; best esr {training.at.best_esr:.4g}")
        if self.is_worse(training):
            output = earlier_models.free_name(output)
            say(f"{options.output} stays: what was learned is no better, and goes beside it")
        export.export(self.model, output, **self.texts(training))
        path = card.write(output, self.model, self.dataset)
        say(f"wrote {output} and {path}")
        if os.path.exists(checkpoint.path_of(options.output)):
            os.unlink(checkpoint.path_of(options.output))
