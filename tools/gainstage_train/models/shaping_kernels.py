"""Inner loops of shaping.py for the CPU, compiled by numba. Arrays are [channels, samples], a sample of all
streams beside one another and then the next; what is one number for a channel and a stream is [channels,
tile], repeated for as many samples as the tile holds, so that every loop is long, has few arrays, and becomes
vector instructions: choices are between numbers that are there already, as a sum that is made on one side
only would be a branch, and sound has an unpredictable sign."""

import numpy as np

from . import loops
from .kernels import jit

TILE = 512  # elements that are worked on at once, within a processor's first cache


@jit
def leaky_forward(x, slope, y):
    for c in range(len(x)):
        k, row, out = slope[c], x[c], y[c]
        for i in range(row.size):
            a = row[i]
            out[i] = a if a > 0 else k * a


@jit
def leaky_backward(grad, x, slope, dx, dslope):
    zero, one = x.dtype.type(0.0), x.dtype.type(1.0)
    for c in range(len(x)):
        k, row, g, out, sum_slope = slope[c], x[c], grad[c], dx[c], zero
        for i in range(row.size):
            out[i] = g[i] * (one if row[i] > 0 else k)
        for i in range(row.size):
            sum_slope += g[i] * (zero if row[i] > 0 else row[i])
        dslope[c] = sum_slope


@jit
def shaped_forward(s, gain, offset, slope, share, x, y):
    channels, tile = gain.shape
    for c in range(channels):
        k, r, gains, offsets = slope[c], share[c], gain[c], offset[c]
        for begin in range(0, s.shape[1], tile):
            here, past, out = (
                s[c, begin : begin + tile],
                x[c, begin : begin + tile],
                y[c, begin : begin + tile],
            )
            for i in range(out.size):
                a = offsets[i] + gains[i] * here[i]
                out[i] = (a if a > 0 else k * a) + r * past[i]


@jit
def shaped_backward(grad, s, gain, offset, slope, share, x, ds, dgain, doffset, dslope, dshare, dx):
    """dgain, doffset [channels, tile]: to be summed over the samples of the tile"""
    channels, tile = gain.shape
    zero, one = s.dtype.type(0.0), s.dtype.type(1.0)
    inner = np.empty(tile, s.dtype)
    for c in range(channels):
        k, r, gains, offsets, sum_gain, sum_offset = (
            slope[c],
            share[c],
            gain[c],
            offset[c],
            dgain[c],
            doffset[c],
        )
        sum_slope = sum_share = zero
        for begin in range(0, s.shape[1], tile):
            here, g = s[c, begin : begin + tile], grad[c, begin : begin + tile]
            for i in range(g.size):
                a = offsets[i] + gains[i] * here[i]
                inner[i] = g[i] * (one if a > 0 else k)
                sum_slope += g[i] * (zero if a > 0 else a)
            out = ds[c, begin : begin + tile]
            for i in range(g.size):
                out[i] = inner[i] * gains[i]
            for i in range(g.size):
                sum_gain[i] += inner[i] * here[i]
            for i in range(g.size):
                sum_offset[i] += inner[i]
            past, out = x[c, begin : begin + tile], dx[c, begin : begin + tile]
            for i in range(g.size):
                sum_share += g[i] * past[i]
                out[i] = r * g[i]
        dslope[c], dshare[c] = sum_slope, sum_share


@jit
def taps_forward(x, weight, bias, lanes, y):
    """x: longer than y by as many samples as there are taps, but one; its samples are `lanes` numbers
    apart"""
    for c in range(len(x)):
        for begin in range(0, y.shape[1], TILE):
            out = y[c, begin : begin + TILE]
            out[:] = bias[c]
            for j in range(weight.shape[1]):
                loops.add_scaled(out, x[c, begin + j * lanes :], weight[c, j])


@jit
def taps_backward(grad, x, weight, lanes, dx, dweight, dbias):
    dx[:], dweight[:], dbias[:] = 0, 0, 0
    for c in range(len(x)):
        for begin in range(0, grad.shape[1], TILE):
            g = grad[c, begin : begin + TILE]
            dbias[c] += g.sum()
            for j in range(weight.shape[1]):
                here = slice(begin + j * lanes, begin + j * lanes + g.size)
                loops.add_scaled(dx[c, here], g, weight[c, j])
                dweight[c, j] += np.dot(g, x[c, here])
