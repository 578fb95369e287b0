"""Recurrences over time with gradients: compiled loops on the CPU (scan_kernels.py), and the same in plain
PyTorch, parallel over time, for other devices (`plain` = True asks for it). Time is the first axis, all
others are lanes; states are 64-bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

try:
    from . import scan_kernels as kernels
except ImportError:  # no numba
    kernels = None  # type: ignore[assignment]  # its users ask whether it is None


def compiled(tensor: torch.Tensor, plain: bool = False) -> bool:
    """Whether the compiled loops are for this tensor."""
    return kernels is not None and not plain and tensor.device.type == "cpu"


def np_of(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


def state_of(start: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor:
    """A 64-bit state, zero at the start."""
    shape = like.shape[1:]
    if start is None:
        return torch.zeros(shape, dtype=torch.float64, device=like.device)
    return start.double().expand(shape)


# -------------------------------------------------------------------------------- plain


def plain_linear_scan(a: torch.Tensor, b: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    """By doubling: in log2(time) steps, each of which joins neighbouring stretches."""
    a, b = a.double(), b.double()
    b = torch.cat([(b[0] + a[0] * start)[None], b[1:]])
    reach = 1
    while reach < len(a):
        b = torch.cat([b[:reach], b[reach:] + a[reach:] * b[:-reach]])
        a = torch.cat([a[:reach], a[reach:] * a[:-reach]])
        reach *= 2
    return b


def plain_switching(
    goal: torch.Tensor, fall: torch.Tensor, rise: torch.Tensor, start: torch.Tensor
) -> torch.Tensor:
    """Guesses at which samples it falls, runs as if that were so, and looks again. Each round is right for at
    least one sample more than the last, most rounds for very many."""
    goal64, falls = goal.double(), None
    for _ in range(len(goal) + 1):
        share = (
            torch.where(falls, fall, rise).double() if falls is not None else rise.double().expand_as(goal64)
        )
        y = plain_linear_scan(1.0 - share, share * goal64, start)
        with torch.no_grad():
            seen = torch.cat([start[None], y[:-1]]) > goal64
            if falls is not None and torch.equal(seen, falls):
                break
            falls = seen
    return y


# -------------------------------------------------------------------------------- compiled


def flat(tensor: torch.Tensor) -> np.ndarray:
    return np_of(tensor).reshape(len(tensor), -1)


class Smooth(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, goal: torch.Tensor, share: torch.Tensor, start: torch.Tensor) -> Any:
        y = torch.empty_like(goal, memory_format=torch.contiguous_format)
        end = kernels.smooth_forward(flat(goal), flat(share), np_of(start).reshape(-1), flat(y))
        ctx.save_for_backward(goal, share, y, start)
        return y, torch.from_numpy(end).reshape(start.shape)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor, end: torch.Tensor) -> Any:
        goal, share, y, start = ctx.saved_tensors
        dgoal, dshare = torch.empty_like(y), torch.empty_like(y)
        end = end.clone().contiguous()
        kernels.smooth_backward(
            flat(grad),
            end.numpy().reshape(-1),
            flat(goal),
            flat(share),
            flat(y),
            np_of(start).reshape(-1),
            flat(dgoal),
            flat(dshare),
        )
        return dgoal, dshare, end


class Switching(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, goal: torch.Tensor, fall: torch.Tensor, rise: torch.Tensor, start: torch.Tensor
    ) -> Any:
        y = torch.empty_like(goal, memory_format=torch.contiguous_format)
        falls = torch.empty(goal.shape, dtype=torch.bool)
        end = kernels.switching_forward(
            flat(goal),
            np_of(fall).reshape(-1),
            np_of(rise).reshape(-1),
            np_of(start).reshape(-1),
            flat(y),
            flat(falls),
        )
        ctx.save_for_backward(goal, fall, rise, falls, y, start)
        return y, torch.from_numpy(end).reshape(start.shape)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor, end: torch.Tensor) -> Any:
        goal, fall, rise, falls, y, start = ctx.saved_tensors
        dgoal, end = torch.empty_like(y), end.clone().contiguous()
        dfall, drise = (torch.zeros(fall.shape, dtype=torch.float64) for _ in range(2))
        kernels.switching_backward(
            flat(grad),
            end.numpy().reshape(-1),
            flat(goal),
            np_of(fall).reshape(-1),
            np_of(rise).reshape(-1),
            flat(falls),
            flat(y),
            np_of(start).reshape(-1),
            flat(dgoal),
            dfall.numpy().reshape(-1),
            drise.numpy().reshape(-1),
        )
        return dgoal, dfall.to(fall.dtype), drise.to(rise.dtype), end


# -------------------------------------------------------------------------------- to be called


def smooth(
    goal: torch.Tensor, share: torch.Tensor, start: torch.Tensor | None = None, plain: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """s += share[t] (goal[t] - s); of one shape [time, ...]. -> (s, last s in 64 bits)"""
    start = state_of(start, goal)
    if compiled(goal, plain):
        return Smooth.apply(goal, share, start)
    y = plain_linear_scan(1.0 - share.double(), share.double() * goal, start)
    return y.to(goal.dtype), y[-1]


def switching(
    goal: torch.Tensor,
    fall: torch.Tensor,
    rise: torch.Tensor,
    start: torch.Tensor | None = None,
    plain: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """s += (`fall` where goal[t] is below s, else `rise`) (goal[t] - s). goal [time, ...]; fall, rise:
    numbers or [...]."""
    start = state_of(start, goal)
    fall, rise = (torch.as_tensor(share).to(goal).expand(goal.shape[1:]) for share in (fall, rise))
    if compiled(goal, plain):
        return Switching.apply(goal, fall, rise, start)
    y = plain_switching(goal, fall, rise, start)
    return y.to(goal.dtype), y[-1]


def share_of(tau_s: torch.Tensor, sample_rate: float) -> torch.Tensor:
    """`share` of a one-pole with this time constant."""
    return -torch.expm1(-1.0 / (tau_s * sample_rate))


# -------------------------------------------------------------------------------- diagonal state space


class Diagonal(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        u: torch.Tensor,
        pole: torch.Tensor,
        weight: torch.Tensor,
        direct: torch.Tensor,
        start: torch.Tensor,
    ) -> Any:
        u = u.contiguous()
        y, state = torch.empty_like(u), start.clone(memory_format=torch.contiguous_format)
        chunks = -(-u.shape[1] // kernels.CHUNK)
        kept = torch.empty((len(u), chunks, *state.shape[1:]), dtype=torch.float64)
        kernels.diagonal_forward(
            np_of(u), np_of(pole), np_of(weight), np_of(direct), state.numpy(), np_of(y), kept.numpy()
        )
        ctx.save_for_backward(u, pole, weight, direct, kept)
        return y, state

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor, end: torch.Tensor) -> Any:
        u, pole, weight, direct, kept = ctx.saved_tensors
        du, end = torch.empty_like(u), end.clone(memory_format=torch.contiguous_format)
        dpole, dweight, ddirect = torch.empty_like(pole), torch.empty_like(weight), torch.empty_like(direct)
        kernels.diagonal_backward(
            np_of(grad),
            end.numpy(),
            np_of(u),
            np_of(pole),
            np_of(weight),
            np_of(direct),
            np_of(kept),
            du.numpy(),
            dpole.numpy(),
            dweight.numpy(),
            ddirect.numpy(),
        )
        return du, dpole, dweight, ddirect, end


def plain_diagonal(
    u: torch.Tensor, pole: torch.Tensor, weight: torch.Tensor, direct: torch.Tensor, start: torch.Tensor
) -> torch.Tensor:
    """By FFT: u convolved with the response 2 Re(weight pole^t), and what is left of the state at the
    start."""
    pole, weight = torch.view_as_complex(pole), torch.view_as_complex(weight)
    steps = u.shape[1]
    powers = torch.exp(
        torch.log(pole)[..., None] * torch.arange(steps + 1, device=u.device)
    )  # [channels, modes, time + 1]
    response = 2.0 * torch.einsum("cn,cnt->ct", weight, powers[..., :-1]).real
    signal = u.double().transpose(1, 2)
    points = 2 ** math.ceil(math.log2(2 * steps))
    y = torch.fft.irfft(torch.fft.rfft(signal, points) * torch.fft.rfft(response, points)[:, None], points)[
        ..., :steps
    ]
    s = torch.complex(start[:, :, 0], start[:, :, 1])
    y = (
        y
        + 2.0 * torch.einsum("cn,cnt,cnb->cbt", weight, powers[..., 1:], s).real
        + direct[:, None, None] * signal
    )
    end = (
        torch.einsum("cnt,cbt->cnb", powers[..., :-1].flip(-1), signal.to(powers.dtype))
        + powers[..., -1:] * s
    )
    return y.transpose(1, 2).to(u.dtype), torch.stack([end.real, end.imag], 2)


def diagonal(
    u: torch.Tensor,
    pole: torch.Tensor,
    weight: torch.Tensor,
    direct: torch.Tensor,
    start: torch.Tensor = None,
    plain: bool = False,
) -> torch.Tensor:
    """For each channel s_n = pole_n s_n + u[t], y[t] = 2 Re sum_n weight_n s_n + direct u[t].

    u [channels, time, batch]; pole, weight [channels, modes, 2] (Re, Im), direct [channels], all 64-bit;
    start [channels, modes, 2, batch]. -> (y, last state)"""
    if start is None:
        start = torch.zeros((*pole.shape, u.shape[2]), dtype=torch.float64, device=u.device)
    return (Diagonal.apply if compiled(u, plain) else plain_diagonal)(u, pole, weight, direct, start)


# -------------------------------------------------------------------------------- selective state space


class Selective(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        u: torch.Tensor,
        delta: torch.Tensor,
        b_in: torch.Tensor,
        c_out: torch.Tensor,
        pace: torch.Tensor,
        start: torch.Tensor,
    ) -> Any:
        u, delta, b_in, c_out = (rows.contiguous() for rows in (u, delta, b_in, c_out))
        y, state = torch.empty_like(u), start.clone(memory_format=torch.contiguous_format)
        kept = torch.empty((-(-u.shape[1] // kernels.CHUNK), *state.shape), dtype=u.dtype)
        kernels.selective_forward(
            *map(np_of, (u, delta, b_in, c_out, pace)), state.numpy(), y.numpy(), kept.numpy()
        )
        ctx.save_for_backward(u, delta, b_in, c_out, pace, kept)
        return y, state

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor, end: torch.Tensor) -> Any:
        u, delta, b_in, c_out, pace, kept = ctx.saved_tensors
        end = end.clone(memory_format=torch.contiguous_format)
        du, ddelta = torch.empty_like(u), torch.empty_like(u)
        db_in, dc_out, dpace = torch.zeros_like(b_in), torch.zeros_like(c_out), torch.zeros_like(pace)
        kernels.selective_backward(
            np_of(grad),
            end.numpy(),
            *map(np_of, (u, delta, b_in, c_out, pace, kept)),
            *(d.numpy() for d in (du, ddelta, db_in, dc_out, dpace)),
        )
        return du, ddelta, db_in, dc_out, dpace, end


def plain_selective(
    u: torch.Tensor,
    delta: torch.Tensor,
    b_in: torch.Tensor,
    c_out: torch.Tensor,
    pace: torch.Tensor,
    start: torch.Tensor,
) -> torch.Tensor:
    u, delta = (
        u.transpose(0, 1)[:, :, None].double(),
        delta.transpose(0, 1)[:, :, None].double(),
    )  # [time, inner, 1, batch]
    h = plain_linear_scan(
        torch.exp(-delta * pace[..., None]), delta * u * b_in.transpose(0, 1)[:, None], start.double()
    )
    y = (h * c_out.transpose(0, 1)[:, None]).sum(2)
    return y.transpose(0, 1).to(start.dtype), h[-1].to(start.dtype)


def selective(
    u: torch.Tensor,
    delta: torch.Tensor,
    b_in: torch.Tensor,
    c_out: torch.Tensor,
    pace: torch.Tensor,
    start: torch.Tensor = None,
    plain: bool = False,
) -> torch.Tensor:
    """h[d, n] = exp(-delta[d] pace[d, n]) h[d, n] + delta[d] u[d] b_in[n], y[d] = sum_n h[d, n] c_out[n]: Gu
    & Dao, arXiv 2312.00752. u, delta [inner, time, batch]; b_in, c_out [states, time, batch]; pace [inner,
    states]; start [inner, states, batch]. -> (y, last state)"""
    if start is None:
        start = u.new_zeros((*pace.shape, u.shape[2]))
    return (Selective.apply if compiled(u, plain) else plain_selective)(u, delta, b_in, c_out, pace, start)
