"""What stands between the layers of S4D, S6 and TCN, with gradients: on the CPU each as one compiled loop
(shaping_kernels.py), since sound is far larger than a processor's cache and every step of PyTorch's own goes
through all of it; elsewhere, or where `plain` asks for it, in plain PyTorch. Sound is [channels, time,
batch]."""

from __future__ import annotations

from typing import Any

import torch

from .scans import compiled, flat, np_of

try:
    from . import shaping_kernels as kernels
except ImportError:  # no numba
    kernels = None  # type: ignore[assignment]  # its users ask whether it is None


def tiled(per_stream: torch.Tensor) -> torch.Tensor:
    """[channels, batch] -> [channels, whole samples of the batch, about TILE elements]"""
    return per_stream.detach().repeat(1, max(1, kernels.TILE // per_stream.shape[1]))


class Leaky(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, slope: torch.Tensor) -> Any:
        ctx.save_for_backward(x, slope)
        y = torch.empty(x.shape, dtype=x.dtype)
        kernels.leaky_forward(flat(x), np_of(slope), flat(y))
        return y

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        x, slope = ctx.saved_tensors
        dx, dslope = torch.empty(x.shape, dtype=x.dtype), torch.empty(slope.shape, dtype=x.dtype)
        kernels.leaky_backward(flat(grad), flat(x), np_of(slope), flat(dx), np_of(dslope))
        return dx, dslope


class Shaped(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        s: torch.Tensor,
        gain: torch.Tensor,
        offset: torch.Tensor,
        slope: torch.Tensor,
        share: torch.Tensor,
        x: torch.Tensor,
    ) -> Any:
        ctx.save_for_backward(s, gain, offset, slope, share, x)
        y = torch.empty(s.shape, dtype=s.dtype)
        kernels.shaped_forward(
            flat(s), np_of(tiled(gain)), np_of(tiled(offset)), np_of(slope), np_of(share), flat(x), flat(y)
        )
        return y

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        s, gain, offset, slope, share, x = ctx.saved_tensors
        ds, dx = (torch.empty(s.shape, dtype=s.dtype) for _ in "sx")
        gains = tiled(gain)
        dgain, doffset = torch.zeros_like(gains), torch.zeros_like(gains)
        dslope, dshare = (torch.empty(len(s), dtype=s.dtype) for _ in range(2))
        kernels.shaped_backward(
            flat(grad),
            flat(s),
            np_of(gains),
            np_of(tiled(offset)),
            np_of(slope),
            np_of(share),
            flat(x),
            flat(ds),
            np_of(dgain),
            np_of(doffset),
            np_of(dslope),
            np_of(dshare),
            flat(dx),
        )
        return (
            ds,
            *(tiles.view(len(s), -1, gain.shape[1]).sum(1) for tiles in (dgain, doffset)),
            dslope,
            dshare,
            dx,
        )


class Taps(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> Any:
        ctx.save_for_backward(x, weight)
        y = torch.empty((len(x), x.shape[1] - weight.shape[1] + 1, x.shape[2]), dtype=x.dtype)
        kernels.taps_forward(flat(x), np_of(weight), np_of(bias), x.shape[2], flat(y))
        return y

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        x, weight = ctx.saved_tensors
        dx, dweight, dbias = (
            torch.empty(shape, dtype=x.dtype) for shape in (x.shape, weight.shape, (len(x),))
        )
        kernels.taps_backward(
            flat(grad), flat(x), np_of(weight), x.shape[2], flat(dx), dweight.numpy(), dbias.numpy()
        )
        return dx, dweight, dbias


def leaky(x: torch.Tensor, slope: torch.Tensor, plain: bool = False) -> torch.Tensor:
    """x where it is above 0, slope x below; slope [channels] or [1]"""
    if not compiled(x, plain):
        return torch.where(x > 0, x, slope[:, None, None] * x)
    return Leaky.apply(x, slope.expand(len(x)))


def shaped(
    s: torch.Tensor,
    gain: torch.Tensor,
    offset: torch.Tensor,
    slope: torch.Tensor,
    share: torch.Tensor,
    x: torch.Tensor,
    plain: bool = False,
) -> torch.Tensor:
    """leaky(offset + gain s, slope) + share x; gain, offset [channels, batch]; slope [channels] or [1]; share
    [channels]"""
    if not compiled(s, plain):
        return torch.addcmul(
            leaky(torch.addcmul(offset[:, None], s, gain[:, None]), slope, plain=True),
            share[:, None, None],
            x,
        )
    return Shaped.apply(s, gain, offset, slope.expand(len(s)), share, x)


def taps(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, plain: bool = False) -> torch.Tensor:
    """Each channel through its own filter: y[c, t] = bias[c] + sum_j weight[c, j] x[c, t + j]; weight
    [channels, taps]. y is shorter than x by all taps but one."""
    if not compiled(x, plain):
        steps = x.shape[1] - weight.shape[1] + 1
        return bias[:, None, None] + sum(
            weight[:, j, None, None] * x[:, j : j + steps] for j in range(weight.shape[1])
        )
    return Taps.apply(x, weight, bias)
