"""Recurrent cells with PyTorch's weights: compiled loops on the CPU, PyTorch's own modules elsewhere.
Sequences are [time, inputs, batch]: a step of the loop is then a product with vectors over the batch. (Of 8
units at a batch of 64 the loops are many times faster than torch.nn.GRU there; see
tests/tools/gainstage_train/models_test.py.)"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .model import array
from .scans import np_of

try:
    from . import kernels
except ImportError:  # no numba
    kernels = None  # type: ignore[assignment]  # its users ask whether it is None


CHUNK = 65536  # numbers that are moved at a time: they stay in a processor's cache


def empty(like: torch.Tensor, *shape: Any) -> torch.Tensor:
    return torch.empty(shape, dtype=like.dtype)


def product_over_time(d: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """sum over time and batch of d[t, g, b] v[t, j, b]: the gradient of a weight."""
    out = torch.zeros((d.shape[1], v.shape[1]), dtype=d.dtype)
    steps = max(1, CHUNK // (d.shape[1] * d.shape[2]))
    for a, b in zip(d.split(steps), v.split(steps)):
        out.addmm_(
            a.transpose(0, 1).reshape(len(out), -1),
            b.permute(0, 2, 1).reshape(len(b) * b.shape[2], out.shape[1]),
        )
    return out


class RnnSteps(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        w_ih: torch.Tensor,
        w_hh: torch.Tensor,
        base: torch.Tensor,
        start: torch.Tensor,
    ) -> Any:
        h = empty(x, len(x) + 1, *start.shape)
        h[0] = start
        kernels.rnn_forward(np_of(x), np_of(w_ih), np_of(w_hh), np_of(base), h.numpy())
        ctx.save_for_backward(x, w_ih, w_hh, h)
        return h[1:], h[-1].clone()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor, end: torch.Tensor) -> Any:
        x, w_ih, w_hh, h = ctx.saved_tensors
        dh, d, dx = end.clone().contiguous(), empty(x, len(x), *h.shape[1:]), torch.zeros_like(x)
        kernels.rnn_backward(
            np_of(grad), h.numpy(), np_of(w_ih.T), np_of(w_hh.T), d.numpy(), dx.numpy(), dh.numpy()
        )
        return dx, product_over_time(d, x), product_over_time(d, h[:-1]), d.sum(0), dh


class GruSteps(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        w_ih: torch.Tensor,
        w_hh: torch.Tensor,
        base: torch.Tensor,
        bias_n: torch.Tensor,
        start: torch.Tensor,
    ) -> Any:
        units, lanes = start.shape
        h, gates = empty(x, len(x) + 1, units, lanes), empty(x, len(x), 4 * units, lanes)
        h[0] = start
        kernels.gru_forward(
            np_of(x), np_of(w_ih), np_of(w_hh), np_of(base), np_of(bias_n), h.numpy(), gates.numpy()
        )
        ctx.save_for_backward(x, w_ih, w_hh, h, gates)
        return h[1:], h[-1].clone()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor, end: torch.Tensor) -> Any:
        x, w_ih, w_hh, h, gates = ctx.saved_tensors
        units = h.shape[1]
        dh, d, dx = end.clone().contiguous(), torch.empty_like(gates), torch.zeros_like(x)
        kernels.gru_backward(
            np_of(grad),
            h.numpy(),
            gates.numpy(),
            np_of(w_ih.T),
            np_of(w_hh[: 2 * units].T),
            np_of(w_hh[2 * units :].T),
            d.numpy(),
            dx.numpy(),
            dh.numpy(),
        )
        hidden = product_over_time(d, h[:-1])
        dw_hh = torch.cat([hidden[: 2 * units], hidden[3 * units :]])
        sums = d.sum(0)
        return (
            dx,
            product_over_time(d[:, : 3 * units], x),
            dw_hh,
            sums[: 3 * units],
            sums[3 * units :].sum(1),
            dh,
        )


class LstmSteps(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        w_ih: torch.Tensor,
        w_hh: torch.Tensor,
        base: torch.Tensor,
        begin_h: torch.Tensor,
        begin_c: torch.Tensor,
        window: int,
        start_h: torch.Tensor,
        start_c: torch.Tensor,
    ) -> Any:
        units, lanes = start_h.shape
        h, before, gates = (
            empty(x, len(x), units, lanes),
            empty(x, len(x), units, lanes),
            empty(x, len(x), 4 * units, lanes),
        )
        c = empty(x, len(x) + 1, units, lanes)
        before[0], c[0] = start_h, start_c
        kernels.lstm_forward(
            np_of(x),
            np_of(w_ih),
            np_of(w_hh),
            np_of(base),
            np_of(begin_h),
            np_of(begin_c),
            window,
            h.numpy(),
            before.numpy(),
            c.numpy(),
            gates.numpy(),
        )
        ctx.window = window
        ctx.save_for_backward(x, w_ih, w_hh, begin_h, begin_c, before, c, gates)
        return h, h[-1].clone(), c[-1].clone()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor, end_h: torch.Tensor, end_c: torch.Tensor) -> Any:
        x, w_ih, w_hh, begin_h, begin_c, before, c, gates = ctx.saved_tensors
        dh, dc = end_h.clone().contiguous(), end_c.clone().contiguous()
        d, dx = torch.empty_like(gates), torch.zeros_like(x)
        dbegin_h, dbegin_c = torch.zeros_like(begin_h), torch.zeros_like(begin_c)
        kernels.lstm_backward(
            np_of(grad),
            c.numpy(),
            gates.numpy(),
            np_of(w_ih.T),
            np_of(w_hh.T),
            ctx.window,
            d.numpy(),
            dx.numpy(),
            dh.numpy(),
            dc.numpy(),
            dbegin_h.numpy(),
            dbegin_c.numpy(),
        )
        return (
            dx,
            product_over_time(d, x),
            product_over_time(d, before),
            d.sum(0),
            dbegin_h,
            dbegin_c,
            None,
            dh,
            dc,
        )


def decades(units: int) -> torch.Tensor:
    """Samples to remember, evenly over decades: from some to a tenth of a second."""
    return torch.exp(torch.linspace(0.7, 8.5, units))


class Cell(torch.nn.Module):
    """One layer. `kind`: "rnn" (Elman, tanh), "gru" or "lstm"; its weights are those of `network`, a module
    of PyTorch's."""

    KINDS = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}

    def __init__(self, kind: str, inputs: int, units: int) -> None:
        super().__init__()
        self.kind, self.units = kind, units
        self.network = self.KINDS[kind](inputs, units)

    def remember(self, samples: torch.Tensor) -> None:
        """The gates that keep the state (forget of an LSTM, update of a GRU) start between nearly open and
        nearly closed, so that unit n remembers over samples[n], more than 1: chrono initialisation, Tallec &
        Ollivier, ICLR 2018."""
        keep = torch.log(samples - 1.0)
        with torch.no_grad():
            self.network.bias_hh_l0[self.units : 2 * self.units] = keep
            if self.kind == "lstm":
                self.network.bias_hh_l0[: self.units] = -keep

    def weights(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        n = self.network
        return n.weight_ih_l0, n.weight_hh_l0, n.bias_ih_l0, n.bias_hh_l0

    def tensors(self) -> dict[str, np.ndarray]:
        return dict(zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), map(array, self.weights())))

    def forward(
        self,
        x: torch.Tensor,
        held: torch.Tensor | None = None,
        state: torch.Tensor | None = None,
        plain: bool = False,
    ) -> Any:
        """x [time, inputs, batch]; held [batch, more inputs]: constant ones, behind them. -> (h [time, units,
        batch], state)"""
        if plain or kernels is None or x.device.type != "cpu":
            return self.by_torch(x, held, state)
        w_ih, w_hh, b_ih, b_hh = self.weights()
        own, lanes, x = x.shape[1], x.shape[2], x.contiguous()
        base = b_ih[:, None] + (
            w_ih[:, own:] @ held.T if held is not None else torch.zeros((1, lanes), dtype=x.dtype)
        )
        w_ih = w_ih[:, :own]
        zero = torch.zeros((self.units, lanes), dtype=x.dtype)
        if self.kind == "lstm":
            nothing = torch.zeros((0, self.units, lanes), dtype=x.dtype)
            h, *state = LstmSteps.apply(
                x, w_ih, w_hh, base + b_hh[:, None], nothing, nothing, 0, *(state or (zero, zero))
            )
            return h, tuple(state)
        state = zero if state is None else state
        if self.kind == "rnn":
            return RnnSteps.apply(x, w_ih, w_hh, base + b_hh[:, None], state)
        two = 2 * self.units
        base = torch.cat([base[:two] + b_hh[:two, None], base[two:]])
        return GruSteps.apply(x, w_ih, w_hh, base, b_hh[two:], state)

    def by_torch(self, x: torch.Tensor, held: torch.Tensor, state: Any) -> torch.Tensor:
        rows = x.transpose(1, 2)
        if held is not None:
            rows = torch.cat([rows, held.expand(len(rows), *held.shape)], dim=2)
        if state is not None:
            state = (
                tuple(s.T[None].contiguous() for s in state)
                if self.kind == "lstm"
                else state.T[None].contiguous()
            )
        h, state = self.network(rows, state)
        return h.transpose(1, 2), tuple(s[0].T for s in state) if self.kind == "lstm" else state[0].T


def cell_operations(kind: str, units: int, inputs: int) -> tuple[int, float]:
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    return gates, 2.0 * gates * units * (units + inputs)
