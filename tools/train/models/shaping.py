"""What stands between the layers of S4D and TCN, with gradients: on the CPU each as one compiled loop (shaping_kernels.py), since sound
is far larger than a processor's cache and every step of PyTorch's own goes through all of it; elsewhere, or where `plain` asks for it,
in plain PyTorch. Sound is [channels, time, batch]."""

import torch

from .scans import compiled, flat, np_of

try:
    from . import shaping_kernels as kernels
except ImportError:  # no numba
    kernels = None

TILE = 512  # elements that are worked on at once, within a processor's first cache


def tiled(per_stream):
    """[channels, batch] -> [channels, whole samples of the batch, about TILE elements]"""
    return per_stream.detach().repeat(1, max(1, TILE // per_stream.shape[1]))


class Leaky(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, slope):
        ctx.save_for_backward(x, slope)
        y = torch.empty(x.shape, dtype=x.dtype)
        kernels.leaky_forward(flat(x), np_of(slope), flat(y))
        return y

    @staticmethod
    def backward(ctx, grad):
        x, slope = ctx.saved_tensors
        dx, dslope = torch.empty(x.shape, dtype=x.dtype), torch.empty(slope.shape, dtype=x.dtype)
        kernels.leaky_backward(flat(grad), flat(x), np_of(slope), flat(dx), np_of(dslope))
        return dx, dslope


class Shaped(torch.autograd.Function):
    @staticmethod
    def forward(ctx, s, gain, offset, slope, share, x):
        ctx.save_for_backward(s, gain, offset, slope, share, x)
        y = torch.empty(s.shape, dtype=s.dtype)
        kernels.shaped_forward(flat(s), np_of(tiled(gain)), np_of(tiled(offset)), np_of(slope), np_of(share), flat(x), flat(y))
        return y

    @staticmethod
    def backward(ctx, grad):
        s, gain, offset, slope, share, x = ctx.saved_tensors
        ds, dx = (torch.empty(s.shape, dtype=s.dtype) for _ in "sx")
        gains = tiled(gain)
        dgain, doffset = torch.zeros_like(gains), torch.zeros_like(gains)
        dslope, dshare = (torch.empty(len(s), dtype=s.dtype) for _ in range(2))
        kernels.shaped_backward(flat(grad), flat(s), np_of(gains), np_of(tiled(offset)), np_of(slope), np_of(share), flat(x),
                                flat(ds), np_of(dgain), np_of(doffset), np_of(dslope), np_of(dshare), flat(dx))
        return ds, *(tiles.view(len(s), -1, gain.shape[1]).sum(1) for tiles in (dgain, doffset)), dslope, dshare, dx


def leaky(x, slope, plain=False):
    """x where it is above 0, slope x below; slope [channels] or [1]"""
    if not compiled(x, plain):
        return torch.where(x > 0, x, slope[:, None, None] * x)
    return Leaky.apply(x, slope.expand(len(x)))


def shaped(s, gain, offset, slope, share, x, plain=False):
    """leaky(offset + gain s, slope) + share x; gain, offset [channels, batch]; slope [channels] or [1]; share [channels]"""
    if not compiled(s, plain):
        return torch.addcmul(leaky(torch.addcmul(offset[:, None], s, gain[:, None]), slope, plain=True), share[:, None, None], x)
    return Shaped.apply(s, gain, offset, slope.expand(len(s)), share, x)
