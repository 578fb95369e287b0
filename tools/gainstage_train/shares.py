"""The gradients of a batch: worked out by this process, or its windows shared out among several. PyTorch's own threads share out single
products, which here are too small for that. Weights lie in memory that all see; only this process changes them."""

import atexit
import signal

import torch
from torch import multiprocessing

from gainstage_files.problem import Problem
from .windows import batches, pieces

FORK = multiprocessing.get_context("fork")  # the others have the recordings as they are in memory here
GO_ON, LEAVE = True, False
ENDED = "a process that shared the work has ended (was memory short?); the same command goes on from the last checkpoint"


class Shares:
    """processes: how many, with this one. first: the model has learned nothing yet. What is no mean over windows (mr_stft) is taken of
    each share by itself."""

    def __init__(self, model, windows, loss, piece, processes=1, device="cpu", first=True):
        self.model, self.windows, self.loss, self.piece, self.device = model, windows, loss, piece, device
        self.parameters = list(model.parameters())
        if processes > 1:
            model.share_memory()
        self.others = [Other(self) for _ in range(processes - 1)]
        self.first = first
        for other in self.others:
            other.process.start()
        for other in self.others:
            other.there.close()
        atexit.register(self.close)  # before multiprocessing waits for them

    def gradients(self, places):
        """Generates the loss of every piece of the windows at `places`, its gradient in the parameters' .grad. Between two of them the
        weights may change. To be closed where it is left early."""
        parts = batches(places, -(-len(places) // (1 + len(self.others))))
        if self.first:  # norms are measured on the first batch (models/norm.py), by one process alone
            parts, self.first = [places], False
        others = self.others[:len(parts) - 1]
        for other, part in zip(others, parts[1:]):
            other.send(part)
        batch = self.windows.batch(parts[0], self.device)
        powers = [float(batch.power()), *(other.receive() for other in others)]
        power = sum(len(part) * one for part, one in zip(parts, powers)) / len(places)
        for other in others:
            other.send((power, len(places)))
        for value in self._of(batch, power, len(places)):
            value += sum(other.added() for other in others)
            told = LEAVE
            try:
                yield value
                told = GO_ON
            finally:
                for other in others:
                    other.send(told)

    def close(self):
        atexit.unregister(self.close)
        for other in self.others:
            other.end()
        self.others = []

    def _of(self, batch, power, rows):
        """gradients() of this process's part of `rows` windows."""
        share = len(batch.dry) / rows
        for output, target in pieces(self.model, batch, self.piece):
            loss = share * self.loss(output, target, power)
            for parameter in self.parameters:
                parameter.grad = None
            loss.backward()
            yield float(loss.detach())


class Other:
    """Another process that does its share."""

    def __init__(self, shares):
        self.shares = shares
        self.sums = [torch.zeros_like(parameter).share_memory_() for parameter in shares.parameters]
        self.here, self.there = FORK.Pipe()
        self.process = FORK.Process(target=self._work, daemon=True)

    # -------------------------------------------------------------------------------- in the first process

    def send(self, what):
        try:
            self.here.send(what)
        except OSError as problem:
            raise Problem(ENDED) from problem

    def receive(self):
        try:
            return self.here.recv()
        except (OSError, EOFError) as problem:
            raise Problem(ENDED) from problem

    def added(self):
        """Its gradients to those here. -> its share of the loss"""
        value = self.receive()
        for parameter, its in zip(self.shares.parameters, self.sums):
            if parameter.grad is not None:
                parameter.grad += its
        return value

    def end(self):
        self.here.close()
        self.process.join()

    # -------------------------------------------------------------------------------- in its own

    def _work(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # which often go to all: the first process saves, and says when to end
        for other in self.shares.others:  # a pipe ends when one of its two processes does
            other.here.close()
            if other is not self:
                other.there.close()
        while True:
            try:
                self._batch(self.there.recv())
            except (OSError, EOFError):
                return

    def _batch(self, places):
        shares, there = self.shares, self.there
        batch = shares.windows.batch(places, shares.device)
        there.send(float(batch.power()))
        for value in shares._of(batch, *there.recv()):
            for its, parameter in zip(self.sums, shares.parameters):
                its.zero_() if parameter.grad is None else its.copy_(parameter.grad)
            there.send(value)
            if there.recv() is LEAVE:
                return
