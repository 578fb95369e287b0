"""The training loop: windows of the recordings side by side, truncated back-propagation, Adam, validation several times an epoch. Every better
model is written.

The weights depend on the schedule, the data, the device and the number of processes; on the clock only if the length is given in minutes. An
interrupted run goes on as if nothing had happened, bit for bit on the same kind of CPU."""

import contextlib
import dataclasses
import math
import signal
import time
from collections.abc import Callable, Mapping

import torch

from gainstage_files.plain_text import shown
from gainstage_files.problem import UNAVAILABLE, Problem
from . import checkpoint
from .average import Average
from .data_parallel import DataParallel
from .data.pairs import TRAIN, Dataset
from .losses import Loss, esr
from .models.model import Model
from .processes import Place
from .schedule import BALANCED, CONSTANT, COSINE, PLATEAU, Schedule
from .progress import Progress
from .windows import Windows, batches
from .validation import Validation

LOWEST_RATE = 0.01  # of the first one, at the end of a cosine
PLATEAU_FACTOR = 0.5  # of the rate, after a fifth of the patience without improvement
VALIDATIONS_PER_EPOCH = 4
LONGEST_WITHOUT_VALIDATION_S = 1200.0  # of sound that was learned from
SHORTEST_WITHOUT_VALIDATION = 4.0  # times the sound that a validation plays
CHECKPOINT_EVERY_S = 60.0
MOST_RETREATS = 5


class Diverged(Exception):
    """A loss that is not a number any more."""


class Training:
    """schedule: fitted to the data. identity: facts that a checkpoint must agree with. write_best(model, progress) is called on every
    improvement. It may raise OSError or Problem, as on a full disk; then it is called again later. say(text): for the user. learned: the model
    has been trained before and goes on from there. processes: how many share the work. place: of this process, if they were started apart
    (processes.py): all of them make a Training, rank 0 calls run(), the others share()."""

    def __init__(
        self,
        model: Model,
        dataset: Dataset,
        schedule: Schedule,
        output: str,
        identity: Mapping[str, object],
        write_best: Callable[[Model, Progress], None],
        say: Callable[[str], None],
        device: str = "cpu",
        learned: bool = False,
        processes: int = 1,
        place: Place | None = None,
    ) -> None:
        self.model, self.schedule, self.output, self.device = model.to(device), schedule, output, device
        self.identity, self.learned, self.processes, self.place = identity, learned, processes, place
        self.write_best, self.say = write_best, say
        self.dataset, self.sample_rate = dataset, dataset.sample_rate
        self.loss = Loss(schedule.loss)
        self.windows = Windows(
            dataset.of(TRAIN),
            model.conditioning,
            schedule.body_samples,
            schedule.warm_samples,
            schedule.balance == BALANCED,
        )
        self.average = Average(self.model, schedule.average_steps) if schedule.average_steps else None
        self.judged = self.average.module if self.average else self.model  # is validated and written
        self.validation = Validation(self.judged, dataset, schedule, device)
        self.optimiser = torch.optim.Adam(model.groups(schedule.rate), lr=schedule.rate)
        self.first_rates = [group["lr"] for group in self.optimiser.param_groups]
        self.at = Progress()
        self.best = self._weights()
        self.unwritten = False
        self.saved_at = time.monotonic()
        self.places: tuple[int, list[list[tuple[int, int]]]] = (-1, [])  # epoch, its batches

    # -------------------------------------------------------------------------------- the whole run

    def run(
        self,
        interrupted: Callable[[], bool] = lambda: False,
        shown: Callable[["Training"], None] = lambda training: None,
    ) -> str | None:
        """Trains until the model gets no better, its time is over or somebody interrupts it. -> why it ended, in words; None if it was
        interrupted, here (interrupted()) or in another process (wish)"""
        self.shared = self._data_parallel()
        try:
            reason = self._run(interrupted, shown)
        except BaseException as problem:
            self.shared.close(problem.exit_code if isinstance(problem, Problem) else UNAVAILABLE)
            raise
        number = getattr(interrupted, "number", 0) or self.wish or signal.SIGINT
        self.shared.close(0 if reason else 128 + number)
        return reason

    def share(self, asked: Callable[[], int]) -> int:
        """The part of the other ranks. asked(): the signal that asked this process to end, or 0. -> the exit code"""
        with contextlib.closing(self._data_parallel()) as shared:
            return shared.work(asked)

    @property
    def wish(self) -> int:
        """The signal that asked another process to end, or 0."""
        return self.shared.wish

    def _data_parallel(self) -> DataParallel:
        return DataParallel(
            self.model,
            self.windows,
            self.loss,
            self.schedule.tbptt_samples,
            self.processes,
            self.device,
            first=self.at.steps == 0,
            place=self.place,
        )

    def _run(self, interrupted: Callable[[], bool], shown: Callable[["Training"], None]) -> str | None:
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
            stop = interrupted() or self.shared.wish
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

    def _timed(self, work: Callable[[], None]) -> None:
        begin = time.monotonic()
        work()
        self.at.elapsed_s += time.monotonic() - begin

    def finished(self) -> str | None:
        """-> why it is over, in words, or None"""
        at, schedule = self.at, self.schedule
        if schedule.epochs and at.epoch >= schedule.epochs:
            return f"{schedule.epochs} epochs are over"
        if schedule.minutes and at.elapsed_s >= 60 * schedule.minutes:
            return f"its {schedule.minutes:g} minutes are over"
        if schedule.patience and at.since_best >= schedule.patience:
            return f"no better in {schedule.patience} validations"
        return None

    def share_done(self) -> float:
        """0 to 1, by epochs or by time."""
        at, schedule = self.at, self.schedule
        by_epoch = (
            (at.epoch + at.batch / self.batches_per_epoch()) / schedule.epochs if schedule.epochs else 0.0
        )
        by_time = at.elapsed_s / (60 * schedule.minutes) if schedule.minutes else 0.0
        return min(1.0, max(by_epoch, by_time))

    def epochs_done(self) -> float:
        return self.at.epoch + self.at.batch / self.batches_per_epoch()

    def batches_per_epoch(self) -> int:
        return -(-len(self.windows) // self.schedule.batch)

    def validation_every(self) -> float:
        """In samples of learning."""
        epoch = len(self.windows) * self.schedule.body_samples
        return max(
            min(epoch / VALIDATIONS_PER_EPOCH, LONGEST_WITHOUT_VALIDATION_S * self.sample_rate),
            SHORTEST_WITHOUT_VALIDATION * self.validation.samples(),
        )

    # -------------------------------------------------------------------------------- learning

    def _begin(self) -> None:
        """Begins from the best plain gain."""
        batch = self.windows.batch(self.windows.some(self.schedule.batch), self.device)
        self.model.begin_from(batch.dry * batch.counts, batch.wet * batch.counts)

    def _batch(self) -> None:
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

    def _learn(self, places: list[tuple[int, int]]) -> None:
        with contextlib.closing(self.shared.gradients(places)) as losses:
            for loss in losses:
                self._step(loss)

    def _step(self, loss: float) -> None:
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

    def rate_share(self) -> float:
        """Of the first rate."""
        share = {COSINE: self._cosine, PLATEAU: lambda: 1.0, CONSTANT: lambda: 1.0}[self.schedule.decay]()
        return share * self.at.rate_factor

    def _cosine(self) -> float:
        return LOWEST_RATE + (1 - LOWEST_RATE) * 0.5 * (1 + math.cos(math.pi * self.share_done()))

    def _retreat(self) -> None:
        """Goes back to the best weights, with half the rate and without the optimiser's moments."""
        self.at.retreats += 1
        if self.at.retreats > MOST_RETREATS:
            raise Problem(
                f"{self.output}: the loss became infinite {self.at.retreats} times, at a rate of "
                f"{self.schedule.rate * self.at.rate_factor:.2g} at last; try a lower --rate"
            )
        self.at.rate_factor *= 0.5
        self.model.load_state_dict(self.best)
        self._restart_average()
        self.optimiser.state.clear()
        self.say(
            f"the loss became infinite: back to the best weights, at {self.at.rate_factor:g} times the rate"
        )

    def _restart_average(self) -> None:
        if self.average:
            self.average.restart(self.model)

    # -------------------------------------------------------------------------------- judging

    def _validate(self) -> None:
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

    def _try_to_write(self, at_best: bool) -> None:
        """Writes the best model so far: the present one, or an earlier one that could not be written."""
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

    def save(self) -> None:
        """Writes a checkpoint. If that fails, it says so, and the one before stays."""
        self.saved_at = time.monotonic()
        facts = {
            "identity": self.identity,
            "progress": dataclasses.asdict(self.at),
            "unwritten": self.unwritten,
        }
        try:
            checkpoint.save(
                checkpoint.path_of(self.output), self.model, self.best, self.optimiser, self.average, facts
            )
        except OSError as problem:
            self.say(
                f"{checkpoint.path_of(self.output)}: could not be written, the one before stays: {problem.strerror}"
            )

    def resume(self) -> bool:
        """Goes on from the checkpoint beside the output. -> whether there is one"""
        path = checkpoint.path_of(self.output)
        facts, tensors = checkpoint.facts_of(path)
        if facts is None or tensors is None:
            return False
        found, asked = facts["identity"], self.identity
        other = [
            f"{key} {shown(found.get(key))}, now {asked.get(key)}"
            for key in asked
            if found.get(key) != asked[key]
        ]
        if other:
            raise Problem(
                f"{path}: belongs to a run with other settings ({'; '.join(other)}): repeat those to go on with it, or begin "
                "anew with --fresh"
            )
        self.at, self.unwritten = Progress.of(facts["progress"], path), facts["unwritten"]
        self.best = checkpoint.restore(path, facts, tensors, self.model, self.optimiser, self.average)
        return True

    def load_best(self) -> None:
        for model in {self.model, self.judged}:
            model.load_state_dict(self.best)

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self.judged.state_dict().items()}
