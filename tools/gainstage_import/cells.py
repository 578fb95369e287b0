"""PyTorch's recurrent cells in numpy, many rows side by side: for measuring how long they remember. Weights
as in torch.nn.{RNN,GRU,LSTM}: weight_ih (gates x units, inputs), weight_hh (gates x units, units), bias_ih,
bias_hh."""

from __future__ import annotations

import numpy as np

PIECE = 256  # samples whose inputs are multiplied at once


def cell_of(weights: dict[str, np.ndarray]) -> Cell:
    """By its gates: 1 is an Elman cell, 3 a GRU, 4 an LSTM."""
    rows, units = weights["weight_hh"].shape
    return {1: Elman, 3: Gru, 4: Lstm}[rows // units](weights)


class Cell:
    """A sigmoid is half of tanh(x / 2) and a half more, so weights of sigmoid gates are halved and one tanh
    serves several gates."""

    ih: np.ndarray
    hh: np.ndarray
    bias: np.ndarray

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        ih, hh, bi, bh = (
            np.asarray(weights[name], float) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        self.units = hh.shape[1]
        self.prepare(ih, hh, bi, bh)

    def prepare(self, ih: np.ndarray, hh: np.ndarray, bi: np.ndarray, bh: np.ndarray) -> None:
        """Makes ih, hh and bias, turned and scaled for steps()."""
        raise NotImplementedError

    def steps(self, driven: np.ndarray, out: np.ndarray, state: np.ndarray) -> None:
        """driven: what the inputs and the bias give, (samples x rows, gates x units). out: (samples, rows,
        units). state: changed."""
        raise NotImplementedError

    def run(self, inputs: np.ndarray, state: np.ndarray) -> np.ndarray:
        """inputs: (samples, rows, inputs). state: changed as they are played. -> outputs (samples, rows,
        units)"""
        samples, rows, _ = inputs.shape
        out = np.empty((samples, rows, self.units))
        for begin in range(0, samples, PIECE):
            part = inputs[begin : begin + PIECE]
            self.steps(
                part.reshape(-1, part.shape[2]) @ self.ih + self.bias, out[begin : begin + PIECE], state
            )
        return out

    def begin(self, rows: int, value: float = 0.0) -> np.ndarray:
        return np.full((1, rows, self.units), float(value))


class Elman(Cell):
    def prepare(self, ih: np.ndarray, hh: np.ndarray, bi: np.ndarray, bh: np.ndarray) -> None:
        self.ih, self.hh, self.bias = ih.T.copy(), hh.T.copy(), bi + bh

    def steps(self, driven: np.ndarray, out: np.ndarray, state: np.ndarray) -> None:
        h = state[0]
        for given, said in zip(driven.reshape(len(out), len(h), -1), out):
            np.dot(h, self.hh, out=said)
            said += given
            h = np.tanh(said, out=said)
        state[0] = h


class Gru(Cell):
    def prepare(self, ih: np.ndarray, hh: np.ndarray, bi: np.ndarray, bh: np.ndarray) -> None:
        half = np.repeat([0.5, 0.5, 1.0], self.units)
        outer = np.repeat([1.0, 1.0, 0.0], self.units)  # the new state's own bias is gated
        self.ih, self.hh, self.bias = (half * ih.T).copy(), (half * hh.T).copy(), half * (bi + outer * bh)
        self.inner = bh[2 * self.units :].copy()

    def steps(self, driven: np.ndarray, out: np.ndarray, state: np.ndarray) -> None:
        h, units = state[0].copy(), self.units
        gates = np.empty((len(h), 3 * units))
        rz, r, z, n = (
            gates[:, : 2 * units],
            gates[:, :units],
            gates[:, units : 2 * units],
            gates[:, 2 * units :],
        )
        for given, said in zip(driven.reshape(len(out), len(h), -1), out):
            np.dot(h, self.hh, out=gates)
            rz += given[:, : 2 * units]
            np.tanh(rz, out=rz)
            rz *= 0.5
            rz += 0.5
            n += self.inner
            n *= r
            n += given[:, 2 * units :]
            np.tanh(n, out=n)
            h -= n
            h *= z
            h += n
            said[:] = h
        state[0] = h


class Lstm(Cell):
    def prepare(self, ih: np.ndarray, hh: np.ndarray, bi: np.ndarray, bh: np.ndarray) -> None:
        def turned(rows: np.ndarray) -> np.ndarray:  # i, f, g, o -> i, f, o, g
            i, f, g, o = np.split(rows, 4)
            return np.concatenate([0.5 * i, 0.5 * f, 0.5 * o, g])

        self.ih, self.hh, self.bias = turned(ih).T.copy(), turned(hh).T.copy(), turned(bi + bh)

    def begin(self, rows: int, value: float = 0.0) -> np.ndarray:
        return np.full((2, rows, self.units), float(value))

    def steps(self, driven: np.ndarray, out: np.ndarray, state: np.ndarray) -> None:
        h, c, units = state[0].copy(), state[1].copy(), self.units
        gates = np.empty((len(h), 4 * units))
        sigmoids, i, f, o, g = (gates[:, : 3 * units], *np.split(gates, 4, axis=1))
        for given, said in zip(driven.reshape(len(out), len(h), -1), out):
            np.dot(h, self.hh, out=gates)
            gates += given
            np.tanh(gates, out=gates)
            sigmoids *= 0.5
            sigmoids += 0.5
            c *= f
            i *= g
            c += i
            np.tanh(c, out=h)
            h *= o
            said[:] = h
        state[0], state[1] = h, c
