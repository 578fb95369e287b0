"""The training loop: windows of the recordings side by side, truncated back-propagation, Adam, validation several times
an epoch, the best model written whenever there is a better one.

What the numbers of a run depend on is its schedule, the data and the device; on the clock only where its length is given in
minutes. Interrupted and taken up again it goes on as if nothing had happened, bit for bit on one kind of CPU."""

import contextlib
import dataclasses
import math
import time

import torch

from gainstage_files.plain_text import shown
from gainstage_files.problem import Problem
from . import checkpoint
from .average import Average
from .data.pairs import TRAIN
from .losses import Loss, esr
from .schedule import BALANCED, CONSTANT, COSINE, PLATEAU
from .progress import Progress
from .shares import Shares
from .windows import Windows, batches
from .validation import Validation

LOWEST_RATE = 0.01            # of the first one, at the end of a cosine
PLATEAU_FACTOR = 0.5          # of the rate, after a fifth of the patience without improvement
VALIDATIONS_PER_EPOCH = 4
LONGEST_WITHOUT_VALIDATION_S = 1200.0  # of sound that was learned from
SHORTEST_WITHOUT_VALIDATION = 4.0      # times the sound that a validation plays
CHECKPOINT_EVERY_S = 60.0
MOST_RETREATS = 5


class Diverged(Exception):
    """A loss that is not a number any more."""


class Training:
    """schedule: fitted to the data. identity: what a checkpoint must agree in. write_best(model, progress) is called on every
    improvement, and may raise OSError or Problem where the disk is full: then it is called again later. say(text): for
    the user. learned: the model has been trained before, and goes on from there. processes: that share the work."""

    def __init__(self, model, dataset, schedule, output, identity, write_best, say, device="cpu", learned=False, processes=1):
        self.model, self.schedule, self.output, self.device = model.to(device), schedule, output, device
        self.identity, self.learned, self.processes = identity, learned, processes
        self.write_best, self.say = write_best, say
        self.dataset, self.sample_rate = dataset, dataset.sample_rate
        self.loss = Loss(schedule.loss)
        self.windows = Windows(dataset.of(TRAIN), model.conditioning, schedule.body_samples, schedule.warm_samples,
                               schedule.balance == BALANCED)
        self.average = Average(self.model, schedule.average_steps) if schedule.average_steps else None
        self.judged = self.average.module if self.average else self.model  # what is validated and written
        self.validation = Validation(self.judged, dataset, schedule, device)
        self.optimiser = torch.optim.Adam(model.groups(schedule.rate), lr=schedule.rate)
        self.first_rates = [group["lr"] for group in self.optimiser.param_groups]
        self.at = Progress()
        self.best = self._weights()
        self.unwritten = False
        self.saved_at = time.monotonic()
        self.places = (None, None)

    # -------------------------------------------------------------------------------- the whole run

    def run(self, interrupted=lambda: False, shown=lambda training: None):
        """Until it has learned what it can, its time is over, or interrupted() says so. -> why it ended, in words; None if
        it was interrupted."""
        shares = Shares(self.model, self.windows, self.loss, self.schedule.tbptt_samples, self.processes, self.device,
                        first=self.at.steps == 0)
        with contextlib.closing(shares) as self.shares:
            return self._run(interrupted, shown)

    def _run(self, interrupted, shown):
        if not self.at.history:
            if not self.learned:
                self._begin()
            self._restart_average()
            self._validate()
        while True:
            reason = self.finished()
            if reason:
                break
            self._timed(self._batch)
            if self.at.heard >= self.validation_every():
                self._timed(self._validate)
            shown(self)
            stop = interrupted()
            if stop or self.at.heard == 0 or time.monotonic() - self.saved_at > CHECKPOINT_EVERY_S:
                self.save()
            if stop:
                return None
        if self.at.heard:
            self._validate()
        self.save()
        self.load_best()
        if self.unwritten:
            self.write_best(self.judged, self.at)
        return reason

    def _timed(self, work):
        begin = time.monotonic()
        work()
        self.at.elapsed_s += time.monotonic() - begin

    def finished(self):
        at, schedule = self.at, self.schedule
        if schedule.epochs and at.epoch >= schedule.epochs:
            return f"{schedule.epochs} epochs are over"
        if schedule.minutes and at.elapsed_s >= 60 * schedule.minutes:
            return f"its {schedule.minutes:g} minutes are over"
        if schedule.patience and at.since_best >= schedule.patience:
            return f"no better in {schedule.patience} validations"
        return None

    def share_done(self):
        """0 to 1, by epochs or time."""
        at, schedule = self.at, self.schedule
        by_epoch = (at.epoch + at.batch / self.batches_per_epoch()) / schedule.epochs if schedule.epochs else 0.0
        by_time = at.elapsed_s / (60 * schedule.minutes) if schedule.minutes else 0.0
        return min(1.0, max(by_epoch, by_time))

    def epochs_done(self):
        return self.at.epoch + self.at.batch / self.batches_per_epoch()

    def batches_per_epoch(self):
        return -(-len(self.windows) // self.schedule.batch)

    def validation_every(self):
        """In samples that were learned from."""
        epoch = len(self.windows) * self.schedule.body_samples
        return max(min(epoch / VALIDATIONS_PER_EPOCH, LONGEST_WITHOUT_VALIDATION_S * self.sample_rate),
                   SHORTEST_WITHOUT_VALIDATION * self.validation.samples())

    # -------------------------------------------------------------------------------- learning

    def _begin(self):
        """From the gain that makes the loss of a plain gain smallest."""
        batch = self.windows.batch(self.windows.some(self.schedule.batch), self.device)
        self.model.begin_from(batch.dry * batch.counts, batch.wet * batch.counts)

    def _batch(self):
        at = self.at
        if self.places[0] != at.epoch:
            places = self.windows.epoch(self.schedule.seed, at.epoch)
            self.places = at.epoch, batches(places, self.schedule.batch)
        places = self.places[1][at.batch]
        rate = self.rate_share()
        for group, first in zip(self.optimiser.param_groups, self.first_rates):
            group["lr"] = first * rate
        try:
            self._learn(places)
        except Diverged:
            self._retreat()
        at.heard += len(places) * self.schedule.body_samples
        at.batch += 1
        if at.batch == len(self.places[1]):
            at.epoch, at.batch = at.epoch + 1, 0

    def _learn(self, places):
        with contextlib.closing(self.shares.gradients(places)) as losses:
            for loss in losses:
                self._step(loss)

    def _step(self, loss):
        at, parameters = self.at, [p for group in self.optimiser.param_groups for p in group["params"]]
        if not math.isfinite(loss):
            raise Diverged
        norm = torch.nn.utils.clip_grad_norm_(parameters, self.schedule.clip or math.inf)
        if torch.isfinite(norm):
            self.optimiser.step()
            if self.average:
                self.average.follow(self.model)
        at.steps += 1
        at.loss_sum += loss
        at.loss_count += 1

    def rate_share(self):
        share = {COSINE: self._cosine, PLATEAU: lambda: 1.0, CONSTANT: lambda: 1.0}[self.schedule.decay]()
        return share * self.at.rate_factor

    def _cosine(self):
        return LOWEST_RATE + (1 - LOWEST_RATE) * 0.5 * (1 + math.cos(math.pi * self.share_done()))

    def _retreat(self):
        """Back to the best weights, with half the rate and without the moments that led astray."""
        self.at.retreats += 1
        if self.at.retreats > MOST_RETREATS:
            raise Problem(f"{self.output}: the loss became infinite {self.at.retreats} times, at a rate of "
                          f"{self.schedule.rate * self.at.rate_factor:.2g} at last; try a lower --rate")
        self.at.rate_factor *= 0.5
        self.model.load_state_dict(self.best)
        self._restart_average()
        self.optimiser.state.clear()
        self.say(f"the loss became infinite: back to the best weights, at {self.at.rate_factor:g} times the rate")

    def _restart_average(self):
        if self.average:
            self.average.restart(self.model)

    # -------------------------------------------------------------------------------- judging

    def _validate(self):
        at = self.at
        output, target = self.validation.played()
        loss, error = float(self.loss(output, target)), float(esr(output, target))
        better = at.judge(loss, error, self.epochs_done())
        if better:
            self.best = self._weights()
            self.unwritten = at.steps > 0
        elif self.schedule.decay == PLATEAU and at.since_best % max(1, self.schedule.patience // 5) == 0:
            at.rate_factor *= PLATEAU_FACTOR
        self.say(at.said(self.schedule.loss))
        if self.unwritten:
            self._try_to_write(better)

    def _try_to_write(self, at_best):
        """The best model so far, which is the present one or was written in vain before."""
        now = None if at_best else self._weights()
        if now:
            self.judged.load_state_dict(self.best)
        try:
            self.write_best(self.judged, self.at)
            self.unwritten = False
        except (OSError, Problem) as problem:
            self.say(f"the best model could not be written yet: {problem}")
        finally:
            if now:
                self.judged.load_state_dict(now)

    # -------------------------------------------------------------------------------- keeping

    def save(self):
        """A checkpoint. A full disk is said, and the one before stays."""
        self.saved_at = time.monotonic()
        facts = {"identity": self.identity, "progress": dataclasses.asdict(self.at), "unwritten": self.unwritten}
        try:
            checkpoint.save(checkpoint.path_of(self.output), self.model, self.best, self.optimiser, self.average, facts)
        except OSError as problem:
            self.say(f"{checkpoint.path_of(self.output)}: could not be written, the one before stays: {problem.strerror}")

    def resume(self):
        """Goes on from the checkpoint beside the output. -> False where there is none."""
        path = checkpoint.path_of(self.output)
        facts, tensors = checkpoint.facts_of(path)
        if facts is None:
            return False
        found, asked = facts["identity"], self.identity
        other = [f"{key} {shown(found.get(key))}, now {asked.get(key)}" for key in asked if found.get(key) != asked[key]]
        if other:
            raise Problem(f"{path}: is of a run with other settings ({'; '.join(other)}): repeat those to go on with it, or begin "
                          "anew with --fresh")
        self.at, self.unwritten = Progress.of(facts["progress"], path), facts["unwritten"]
        self.best = checkpoint.restore(path, facts, tensors, self.model, self.optimiser, self.average)
        return True

    def load_best(self):
        for model in {self.model, self.judged}:
            model.load_state_dict(self.best)

    def _weights(self):
        return {name: tensor.detach().clone() for name, tensor in self.judged.state_dict().items()}
