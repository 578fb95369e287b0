"""Inner loops of scans.py for the CPU, compiled by numba. Arrays are [time, lanes]; states are 64-bit, since at time constants of
seconds a 32-bit one would lose its last digits."""

import numpy as np

from .kernels import exp_minus, jit


@jit
def linear_forward(a, b, start, y):
    lanes = a.shape[1]
    s = start.copy()
    for t in range(len(a)):
        for k in range(lanes):
            s[k] = a[t, k] * s[k] + b[t, k]
            y[t, k] = s[k]
    return s


@jit
def linear_backward(grad, end, a, y, start, da, db):
    """`end`: of the last state, and then of `start`."""
    lanes = a.shape[1]
    for t in range(len(a) - 1, -1, -1):
        for k in range(lanes):
            g = end[k] + grad[t, k]
            db[t, k] = g
            da[t, k] = g * (y[t - 1, k] if t > 0 else start[k])
            end[k] = g * a[t, k]


@jit
def smooth_forward(goal, share, start, y):
    """s += share (goal - s)"""
    lanes = goal.shape[1]
    s = start.copy()
    for t in range(len(goal)):
        for k in range(lanes):
            s[k] += share[t, k] * (goal[t, k] - s[k])
            y[t, k] = s[k]
    return s


@jit
def smooth_backward(grad, end, goal, share, y, start, dgoal, dshare):
    lanes = goal.shape[1]
    for t in range(len(goal) - 1, -1, -1):
        for k in range(lanes):
            g = end[k] + grad[t, k]
            dgoal[t, k] = g * share[t, k]
            dshare[t, k] = g * (goal[t, k] - (y[t - 1, k] if t > 0 else start[k]))
            end[k] = g - g * share[t, k]


@jit
def switching_forward(goal, fall, rise, start, y, falls):
    """s += (fall where goal is below s, else rise) (goal - s); which it was goes to `falls`."""
    lanes = goal.shape[1]
    s = start.copy()
    for t in range(len(goal)):
        for k in range(lanes):
            below = s[k] > goal[t, k]
            falls[t, k] = below
            s[k] += (fall[k] if below else rise[k]) * (goal[t, k] - s[k])
            y[t, k] = s[k]
    return s


@jit
def switching_backward(grad, end, goal, fall, rise, falls, y, start, dgoal, dfall, drise):
    lanes = goal.shape[1]
    for t in range(len(goal) - 1, -1, -1):
        for k in range(lanes):
            below = falls[t, k]
            share = fall[k] if below else rise[k]
            g = end[k] + grad[t, k]
            dgoal[t, k] = g * share
            dshare = g * (goal[t, k] - (y[t - 1, k] if t > 0 else start[k]))
            dfall[k] += dshare if below else 0.0
            drise[k] += 0.0 if below else dshare
            end[k] = g - g * share


# ------------------------------------------------------------------------------------------------ diagonal state space

CHUNK = 64  # steps between states kept for the way back; those between are computed again


@jit
def diagonal_forward(u, pole, weight, direct, state, y, kept):
    """For each channel c: s_n = pole_n s_n + u, y = 2 Re sum_n weight_n s_n + direct u. u, y [channels, time, batch];
    pole, weight [channels, modes, 2]; state [channels, modes, 2, batch]; kept [channels, chunks, modes, 2, batch]."""
    channels, steps, lanes = u.shape
    modes = pole.shape[1]
    for c in range(channels):
        s = state[c]
        for t in range(steps):
            if t % CHUNK == 0:
                kept[c, t // CHUNK] = s
            for b in range(lanes):
                y[c, t, b] = direct[c] * u[c, t, b]
            for n in range(modes):
                p, q = pole[c, n, 0], pole[c, n, 1]
                v, w = 2.0 * weight[c, n, 0], 2.0 * weight[c, n, 1]
                for b in range(lanes):
                    re = p * s[n, 0, b] - q * s[n, 1, b] + u[c, t, b]
                    im = p * s[n, 1, b] + q * s[n, 0, b]
                    s[n, 0, b] = re
                    s[n, 1, b] = im
                    y[c, t, b] += v * re - w * im


@jit
def diagonal_backward(grad, end, u, pole, weight, direct, kept, du, dpole, dweight, ddirect):
    """`end` [channels, modes, 2, batch]: the gradient of the last state, and then of the first; as are all others of parts:
    d/dRe, d/dIm."""
    channels, steps, lanes = u.shape
    modes = pole.shape[1]
    past = np.empty((CHUNK + 1, modes, 2, lanes))
    sums = np.empty((4, modes, lanes))
    for c in range(channels):
        sums[:] = 0.0
        e = end[c]
        total = 0.0
        for chunk in range((steps + CHUNK - 1) // CHUNK - 1, -1, -1):
            first = chunk * CHUNK
            last = min(first + CHUNK, steps)
            past[0] = kept[c, chunk]
            for t in range(first, last):
                now, then = past[t - first + 1], past[t - first]
                for n in range(modes):
                    p, q = pole[c, n, 0], pole[c, n, 1]
                    for b in range(lanes):
                        now[n, 0, b] = p * then[n, 0, b] - q * then[n, 1, b] + u[c, t, b]
                        now[n, 1, b] = p * then[n, 1, b] + q * then[n, 0, b]
            for t in range(last - 1, first - 1, -1):
                now, then = past[t - first + 1], past[t - first]
                for b in range(lanes):
                    total += grad[c, t, b] * u[c, t, b]
                    du[c, t, b] = direct[c] * grad[c, t, b]
                for n in range(modes):
                    p, q = pole[c, n, 0], pole[c, n, 1]
                    v, w = 2.0 * weight[c, n, 0], 2.0 * weight[c, n, 1]
                    for b in range(lanes):
                        g = grad[c, t, b]
                        re = e[n, 0, b] + v * g
                        im = e[n, 1, b] - w * g
                        du[c, t, b] += re
                        sums[0, n, b] += re * then[n, 0, b] + im * then[n, 1, b]
                        sums[1, n, b] += im * then[n, 0, b] - re * then[n, 1, b]
                        sums[2, n, b] += 2.0 * g * now[n, 0, b]
                        sums[3, n, b] -= 2.0 * g * now[n, 1, b]
                        e[n, 0, b] = p * re + q * im
                        e[n, 1, b] = p * im - q * re
        ddirect[c] = total
        for n in range(modes):
            dpole[c, n, 0] = sums[0, n].sum()
            dpole[c, n, 1] = sums[1, n].sum()
            dweight[c, n, 0] = sums[2, n].sum()
            dweight[c, n, 1] = sums[3, n].sum()


# ------------------------------------------------------------------------------------------------ selective state space

@jit
def selective_forward(u, delta, b_in, c_out, pace, state, y, kept):
    """h[d, n] = exp(-delta[d] pace[d, n]) h[d, n] + delta[d] u[d] b_in[n]; y[d] = sum_n h[d, n] c_out[n]. Rows [rows, time, batch];
    state [inner, states, batch]; kept [chunks, inner, states, batch]."""
    inner, steps, lanes = u.shape
    states = pace.shape[1]
    for first in range(0, steps, CHUNK):
        kept[first // CHUNK] = state
        for d in range(inner):
            for t in range(first, min(first + CHUNK, steps)):
                for b in range(lanes):
                    y[d, t, b] = 0
                for n in range(states):
                    p = pace[d, n]
                    for b in range(lanes):
                        step = delta[d, t, b]
                        h = exp_minus(step * p) * state[d, n, b] + step * u[d, t, b] * b_in[n, t, b]
                        state[d, n, b] = h
                        y[d, t, b] += h * c_out[n, t, b]


@jit
def selective_backward(grad, end, u, delta, b_in, c_out, pace, kept, du, ddelta, db_in, dc_out, dpace):
    """db_in, dc_out and dpace begin at 0. `end`: of the last state, and then of the first."""
    inner, steps, lanes = u.shape
    states = pace.shape[1]
    past = np.empty((CHUNK + 1, states, lanes), u.dtype)
    decay = np.empty((CHUNK, states, lanes), u.dtype)
    sums = np.zeros((inner, states, lanes), u.dtype)
    for first in range((steps - 1) // CHUNK * CHUNK, -1, -CHUNK):
        last = min(first + CHUNK, steps)
        for d in range(inner):
            past[0] = kept[first // CHUNK, d]
            for t in range(first, last):
                k = t - first
                for n in range(states):
                    p = pace[d, n]
                    for b in range(lanes):
                        step = delta[d, t, b]
                        a = exp_minus(step * p)
                        decay[k, n, b] = a
                        past[k + 1, n, b] = a * past[k, n, b] + step * u[d, t, b] * b_in[n, t, b]
            for t in range(last - 1, first - 1, -1):
                k = t - first
                for b in range(lanes):
                    du[d, t, b] = 0
                    ddelta[d, t, b] = 0
                for n in range(states):
                    p = pace[d, n]
                    for b in range(lanes):
                        g, step, v, i = grad[d, t, b], delta[d, t, b], u[d, t, b], b_in[n, t, b]
                        e = end[d, n, b] + g * c_out[n, t, b]
                        held = e * decay[k, n, b]
                        dc_out[n, t, b] += g * past[k + 1, n, b]
                        du[d, t, b] += e * step * i
                        db_in[n, t, b] += e * step * v
                        ddelta[d, t, b] += e * v * i - held * p * past[k, n, b]
                        sums[d, n, b] -= held * step * past[k, n, b]
                        end[d, n, b] = held
    for d in range(inner):
        for n in range(states):
            dpace[d, n] = sums[d, n].sum()
