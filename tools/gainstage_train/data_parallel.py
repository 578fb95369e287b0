"""The gradients of a batch, by this process alone or by several that share its windows. PyTorch's own threads share single products, and
these are too small for that.

Rank 0 learns. It adds up the gradients in the order of ranks, changes the weights and sends them to the others. So the same number of processes
gives the same weights again, and machines of different kinds can't drift apart."""

import atexit
import contextlib
import itertools
import multiprocessing
import multiprocessing.connection
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Generator, Iterator

import torch
from torch import distributed

from gainstage_files import end_signals
from gainstage_files.problem import UNAVAILABLE, Problem
from .losses import Loss
from .models.model import Model
from .processes import LOOK_S, Group, Lost, Parcel, Place, first_line, loopback, why_it_ended
from .windows import Batch, Windows, batches, pieces

FORK = multiprocessing.get_context("fork")  # the others have the recordings as they are in memory here
BATCH, END = 1, 2  # what rank 0 announces
GO_ON, LEAVE = 0.0, 1.0  # what it adds to the weights after a piece
FAILED = -1.0  # what another rank sends in place of a signal's number
MEMORY = "was memory short?"
NETWORK = "was memory short, or is the network down?"
HERE = "the same command goes on from the last checkpoint"
EVERYWHERE = "start the same commands again: they go on from rank 0's last checkpoint"
END_S = 5.0  # for a process to leave


class DataParallel:
    """One batch after another, shared out.

    processes: how many there are; this one starts the others. place: if they were started apart, this one's place among them; `processes` is
    ignored then. piece: in samples; a step of learning follows each. first: the model has learned nothing yet. A loss that is no mean over
    windows (mr_stft) is that of each process's share.

    wish: the signal that asked another process to end, or 0. Raises Problem if a process is lost."""

    def __init__(
        self,
        model: Model,
        windows: Windows,
        loss: Loss,
        piece: int,
        processes: int = 1,
        device: str = "cpu",
        first: bool = True,
        place: Place | None = None,
    ) -> None:
        self.model, self.windows, self.loss, self.piece = model, windows, loss, piece
        self.device, self.place = device, place
        self.parameters = list(model.parameters())
        self.kept = self.parameters + list(model.buffers())
        self.first, self.wish, self.at_rest = first, 0, True
        self.group: Group | None = None
        self.others: list[multiprocessing.process.BaseProcess] = []
        self.folder: str | None = None
        self.leader = os.getpid()
        self.size = place.size if place else processes
        if self.size > 1:
            atexit.register(self.close)  # before multiprocessing waits for them
            try:
                with self._explained():
                    self._join(place.group(device) if place else self._start())
            except Problem:
                self.close()
                raise

    def _join(self, group: Group) -> None:
        self.group = group
        self.state = Parcel(self.kept, 1, self.device)
        # Of these the numbers are a loss or a power, and a signal or FAILED.
        self.mine = Parcel(self.parameters, 2, self.device)
        self.all = [Parcel(self.parameters, 2, self.device) for _ in range(self.size)]

    def close(self, code: int = 0) -> None:
        """Ends the others, with this exit code, and leaves the group."""
        atexit.unregister(self.close)
        group, self.group = self.group, None
        if group is not None:
            if self.at_rest and group.rank == 0:
                with contextlib.suppress(Lost):
                    group.announce(torch.tensor([END, code, 0]))
            group.close()
        for process in self.others:
            process.join(END_S)
            if process.is_alive():
                process.kill()
                process.join()
        self.others = []
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    # -------------------------------------------------------------------------------- rank 0

    def gradients(self, places: list[tuple[int, int]]) -> Generator[float, None, None]:
        """Yields the loss of each piece of the windows at `places`; its gradient is in .grad of the parameters. The weights may change between
        two pieces. Close it if you leave early."""
        rows = len(places) if self.first else -(-len(places) // self.size)
        self.first = False  # one process alone measures norms on the first batch (models/norm.py)
        if self.group is None:
            batch = self.windows.batch(places, self.device)
            yield from self._of(batch, float(batch.power()), len(places))
        else:
            yield from self._shared(places, rows)

    def _shared(self, places: list[tuple[int, int]], rows: int) -> Iterator[float]:
        self.at_rest = False
        with self._explained():
            self.joined.announce(torch.tensor([BATCH, len(places), rows]))
            self.joined.announce(torch.tensor(places))
            self._spread(GO_ON)
        batch = self.windows.batch(batches(places, rows)[0], self.device)
        with self._explained():
            power = self._power(places, rows, float(batch.power()))
        for value in self._of(batch, power, len(places)):
            with self._explained():
                value = self._added(value, len(batches(places, rows)))
            told = LEAVE
            try:
                yield value
                told = GO_ON
            finally:
                with self._explained():
                    self._spread(told)
                self.at_rest = told == LEAVE
        self.at_rest = True

    def _added(self, value: float, parts: int) -> float:
        """Adds the gradients of the others to those here. -> the loss of all"""
        self._exchange(value, 0)
        for its in self.all[1:parts]:
            for parameter, more in zip(self.parameters, its.parts):
                if parameter.grad is not None:
                    parameter.grad += more
        return value + sum(float(its.numbers[0]) for its in self.all[1:parts])

    # -------------------------------------------------------------------------------- the others

    def work(self, asked: Callable[[], int] = lambda: 0) -> int:
        """Does this process's share until rank 0 ends. asked(): the signal that asked this process to end, or 0; rank 0 is told.
        -> the exit code that rank 0 has chosen"""
        with self._explained():
            return self._work(asked)

    def _work(self, asked: Callable[[], int] = lambda: 0) -> int:
        while True:
            what = torch.zeros(3, dtype=torch.int64)
            self.joined.announce(what)
            kind, count, rows = what.tolist()
            if kind == END:
                return count
            self._batch(count, rows, asked)

    def _batch(self, count: int, rows: int, asked: Callable[[], int]) -> None:
        chosen = torch.zeros((count, 2), dtype=torch.int64)
        self.joined.announce(chosen)
        self._receive()
        places = [(index, end) for index, end in chosen.tolist()]
        part = dict(enumerate(batches(places, rows))).get(self.joined.rank, [])
        try:
            self._pieces(part, places, rows, asked)
        except (Lost, Failed):
            raise
        except Exception as problem:  # rank 0 reports it
            self.mine.put_text(f"{type(problem).__name__}: {first_line(problem)}")
            self._send(0.0, FAILED)
            raise Failed(self.joined.rank, first_line(problem)) from problem

    def _pieces(
        self, part: list[tuple[int, int]], places: list[tuple[int, int]], rows: int, asked: Callable[[], int]
    ) -> None:
        if part:
            batch = self.windows.batch(part, self.device)
            values = self._of(batch, self._power(places, rows, float(batch.power())), len(places))
        else:
            self._power(places, rows, 0.0)
            values = itertools.repeat(0.0, -(-self.windows.body // self.piece))
            for parameter in self.parameters:
                parameter.grad = None
        for value in values:
            self._exchange(value, asked())
            if self._receive() == LEAVE:
                return

    # -------------------------------------------------------------------------------- all

    @property
    def joined(self) -> Group:
        """The group, of which there is one while several processes work."""
        assert self.group is not None
        return self.group

    def _of(self, batch: Batch, power: float, rows: int) -> Iterator[float]:
        """Yields the losses of this process's part of `rows` windows, as gradients() does."""
        share = len(batch.dry) / rows
        for output, target in pieces(self.model, batch, self.piece):
            loss = share * self.loss(output, target, power)
            for parameter in self.parameters:
                parameter.grad = None
            loss.backward()
            yield float(loss.detach())

    def _power(self, places: list[tuple[int, int]], rows: int, mine: float) -> float:
        """-> the mean power of all windows. mine: that of this process's part"""
        for parameter in self.parameters:
            parameter.grad = None
        self._exchange(mine, 0)
        return sum(
            len(part) * float(its.numbers[0]) for part, its in zip(batches(places, rows), self.all)
        ) / len(places)

    def _exchange(self, value: float, asked: int) -> None:
        """Sends this rank's value and gradients, and receives those of all."""
        self.mine.put([parameter.grad for parameter in self.parameters])
        self._send(value, asked)
        for rank, its in enumerate(self.all):
            said = float(its.numbers[1])
            if said == FAILED:
                raise Failed(rank, its.text())
            self.wish = self.wish or int(said)

    def _send(self, value: float, said: float) -> None:
        self.mine.numbers[0], self.mine.numbers[1] = value, said
        self.joined.collect([its.bytes for its in self.all], self.mine.bytes)

    def _spread(self, told: float) -> None:
        """Sends the weights as they are now."""
        self.state.put(self.kept)
        self.state.numbers[0] = told
        self.joined.spread(self.state.bytes)

    def _receive(self) -> float:
        """Takes the weights from rank 0. -> GO_ON or LEAVE"""
        self.joined.spread(self.state.bytes)
        self.state.take_to(self.kept)
        return float(self.state.numbers[0])

    # -------------------------------------------------------------------------------- processes of this machine

    def _start(self) -> Group:
        """Starts the other processes. -> the group with them. They meet at a file that only this user can read, and listen on the loopback
        interface alone."""
        self.folder = folder = tempfile.mkdtemp(prefix="gainstage-train-")
        self.others = [
            FORK.Process(target=self._work_here, args=(rank, folder), daemon=True)
            for rank in range(1, self.size)
        ]
        for process in self.others:
            process.start()
        return self._meet(0, folder)

    def _work_here(self, rank: int, folder: str) -> None:
        for number in end_signals.SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # they go to all; rank 0 saves and ends the others
        self.others = []
        try:
            self._join(self._meet(rank, folder))
            self._work()
        except (Lost, Failed) as problem:
            shutil.rmtree(folder, ignore_errors=True)  # rank 0 may have been killed
            raise SystemExit(1) from problem  # rank 0 reports it

    def _meet(self, rank: int, folder: str) -> Group:
        store = distributed.FileStore(os.path.join(folder, "meeting"), self.size)
        here = store.add("here", 1)
        while here < self.size:
            if any(process.exitcode is not None for process in self.others) or (
                rank > 0 and os.getppid() != self.leader
            ):
                raise Lost
            time.sleep(LOOK_S / 10)
            here = store.add("here", 0)
        return Group(store, rank, self.size, self.device, loopback())

    # -------------------------------------------------------------------------------- faults

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turns a loss within it into a Problem that names the process. Nobody waits for the others after that."""
        try:
            yield
        except Failed as failed:
            self.at_rest = False
            raise Problem(
                f"{self._name_of(failed.rank)} has failed ({failed.text}); {self._remedy()}", UNAVAILABLE
            ) from failed
        except Lost as lost:
            self.at_rest = False
            raise Problem(f"{self._blame(lost)}; {self._remedy()}", UNAVAILABLE) from lost

    def _blame(self, lost: Lost) -> str:
        if self.others:
            sentinels = [process.sentinel for process in self.others]
            ended = multiprocessing.connection.wait(sentinels, timeout=END_S)
            ranks = [rank for rank, sentinel in enumerate(sentinels, 1) if sentinel in ended]
            words = []
            for rank in ranks:
                process = self.others[rank - 1]
                process.join(END_S)  # it closes what connects it before the system knows how it ended
                words.append(f"{self._name_of(rank)} {why_it_ended(process.exitcode)}")
            reason = MEMORY
        else:
            words = [self._name_of(rank) for rank in self.group.missing()] if self.group else []
            reason = NETWORK
            if words:
                words[-1] += " has ended or can't be reached"
        if not words:
            return f"a process that shared the work does not answer ({lost})"
        return f"{', '.join(words)} ({reason})"

    def _name_of(self, rank: int) -> str:
        if self.place:
            return self.place.name_of(rank)
        return f"rank {rank} (process {self.others[rank - 1].pid})"

    def _remedy(self) -> str:
        return EVERYWHERE if self.place else HERE


class Failed(Exception):
    """The work of a rank went wrong; text: how."""

    def __init__(self, rank: int, text: str) -> None:
        super().__init__(text)
        self.rank, self.text = rank, text
