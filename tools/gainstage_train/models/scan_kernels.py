"""Inner loops of scans.py for the CPU, compiled by numba. Arrays are [time, lanes]; states are 64-bit, since
at time constants of seconds a 32-bit one would lose its last digits."""

import numpy as np

from . import loops
from .kernels import jit


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


# -------------------------------------------------------------------------------- diagonal state space

CHUNK = 64  # steps between states kept for the way back; those between are computed again


@jit
def run_mode(u, p, q, re, im):
    """One mode over a chunk: re, im [steps + 1, lanes], their first rows given."""
    steps, lanes = u.shape
    for t in range(steps):
        now_re, now_im, then_re, then_im, heard = re[t + 1], im[t + 1], re[t], im[t], u[t]
        for b in range(lanes):
            now_re[b] = p * then_re[b] - q * then_im[b] + heard[b]
            now_im[b] = p * then_im[b] + q * then_re[b]


@jit
def run_mode_back(grad, p, q, v, w, re, im):
    """What the future asks of one mode's states over a chunk: re, im [steps + 1, lanes], their last rows
    given."""
    steps, lanes = grad.shape
    for t in range(steps - 1, -1, -1):
        now_re, now_im, next_re, next_im, g = re[t], im[t], re[t + 1], im[t + 1], grad[t]
        for b in range(lanes):
            all_re, all_im = next_re[b] + v * g[b], next_im[b] - w * g[b]
            now_re[b] = p * all_re + q * all_im
            now_im[b] = p * all_im - q * all_re


@jit
def diagonal_forward(u, pole, weight, direct, state, y, kept):
    """For each channel c: s_n = pole_n s_n + u, y = 2 Re sum_n weight_n s_n + direct u. u, y [channels, time,
    batch]; pole, weight [channels, modes, 2]; state [channels, modes, 2, batch]; kept [channels, chunks,
    modes, 2, batch].
    """
    channels, steps, lanes = u.shape
    re, im = np.empty((CHUNK + 1, lanes)), np.empty((CHUNK + 1, lanes))
    for c in range(channels):
        for first in range(0, steps, CHUNK):
            heard, out = u[c, first : first + CHUNK], y[c, first : first + CHUNK].reshape(-1)
            count = len(heard)
            row = heard.reshape(-1)
            share = u.dtype.type(direct[c])
            for i in range(row.size):
                out[i] = share * row[i]
            kept[c, first // CHUNK] = state[c]
            for n in range(pole.shape[1]):
                re[0], im[0] = state[c, n, 0], state[c, n, 1]
                run_mode(heard, pole[c, n, 0], pole[c, n, 1], re, im)
                state[c, n, 0], state[c, n, 1] = re[count], im[count]
                v, w = 2.0 * weight[c, n, 0], 2.0 * weight[c, n, 1]
                flat_re, flat_im = re[1 : count + 1].reshape(-1), im[1 : count + 1].reshape(-1)
                for i in range(row.size):
                    out[i] += v * flat_re[i] - w * flat_im[i]


@jit
def diagonal_backward(grad, end, u, pole, weight, direct, kept, du, dpole, dweight, ddirect):
    """`end` [channels, modes, 2, batch]: the gradient of the last state, and then of the first; as are all
    others of parts: d/dRe, d/dIm. Within a chunk states and gradients are of the sound's own type: no error
    lives longer than that.
    """
    channels, steps, lanes = u.shape
    real = u.dtype.type
    past_re, past_im = np.empty((CHUNK + 1, lanes), u.dtype), np.empty((CHUNK + 1, lanes), u.dtype)
    future_re, future_im = np.empty((CHUNK + 1, lanes), u.dtype), np.empty((CHUNK + 1, lanes), u.dtype)
    for c in range(channels):
        dpole[c], dweight[c], ddirect[c] = 0.0, 0.0, 0.0
        for first in range((steps - 1) // CHUNK * CHUNK, -1, -CHUNK):
            heard, told = u[c, first : first + CHUNK], grad[c, first : first + CHUNK]
            count = len(heard)
            row, g, out = heard.reshape(-1), told.reshape(-1), du[c, first : first + CHUNK].reshape(-1)
            ddirect[c] += np.dot(row, g)
            share = real(direct[c])
            for i in range(row.size):
                out[i] = share * g[i]
            for n in range(pole.shape[1]):
                p, q = real(pole[c, n, 0]), real(pole[c, n, 1])
                v, w = real(2.0 * weight[c, n, 0]), real(2.0 * weight[c, n, 1])
                past_re[0], past_im[0] = kept[c, first // CHUNK, n, 0], kept[c, first // CHUNK, n, 1]
                run_mode(heard, p, q, past_re, past_im)
                future_re[count], future_im[count] = end[c, n, 0], end[c, n, 1]
                run_mode_back(told, p, q, v, w, future_re, future_im)
                end[c, n, 0], end[c, n, 1] = future_re[0], future_im[0]
                of_re, of_im = future_re[1 : count + 1].reshape(-1), future_im[1 : count + 1].reshape(-1)
                for i in range(row.size):
                    of_re[i] += v * g[i]
                    of_im[i] -= w * g[i]
                for i in range(row.size):
                    out[i] += of_re[i]
                then_re, then_im = past_re[:count].reshape(-1), past_im[:count].reshape(-1)
                now_re, now_im = past_re[1 : count + 1].reshape(-1), past_im[1 : count + 1].reshape(-1)
                dpole[c, n, 0] += np.dot(of_re, then_re) + np.dot(of_im, then_im)
                dpole[c, n, 1] += np.dot(of_im, then_re) - np.dot(of_re, then_im)
                dweight[c, n, 0] += 2.0 * np.dot(g, now_re)
                dweight[c, n, 1] -= 2.0 * np.dot(g, now_im)


# -------------------------------------------------------------------------------- selective state space


@jit
def run_state(decay, heard, h):
    """One state over a chunk, h[t + 1] = decay[t] h[t] + heard[t]: h [steps + 1, lanes], its first row
    given."""
    for t in range(len(heard)):
        then, now, a, v = h[t], h[t + 1], decay[t], heard[t]
        for b in range(len(now)):
            now[b] = a[b] * then[b] + v[b]


@jit
def run_state_back(decay, asked, held):
    """What the future asks of what each step kept, held[t] = decay[t] (held[t + 1] + asked[t]): held [steps +
    1, lanes], its last row given."""
    for t in range(len(asked) - 1, -1, -1):
        now, later, a, v = held[t], held[t + 1], decay[t], asked[t]
        for b in range(len(now)):
            now[b] = a[b] * (later[b] + v[b])


@jit
def selective_forward(u, delta, b_in, c_out, pace, state, y, kept):
    """h[d, n] = exp(-delta[d] pace[d, n]) h[d, n] + delta[d] u[d] b_in[n]; y[d] = sum_n h[d, n] c_out[n].
    Rows [rows, time, batch]; state [inner, states, batch]; kept [chunks, inner, states, batch]. One state at
    a time over a chunk: what does not wait for the step before it runs along the chunk in long loops."""
    inner, steps, lanes = u.shape
    most = CHUNK * lanes
    drive, decay, heard = np.empty(most, u.dtype), np.empty(most, u.dtype), np.empty(most, u.dtype)
    h = np.empty((CHUNK + 1, lanes), u.dtype)
    for first in range(0, steps, CHUNK):
        last = min(first + CHUNK, steps)
        count, size = last - first, (last - first) * lanes
        kept[first // CHUNK] = state
        for d in range(inner):
            step, out = delta[d, first:last].reshape(-1), y[d, first:last].reshape(-1)
            loops.multiply(step, u[d, first:last].reshape(-1), drive)
            out[:] = 0
            for n in range(pace.shape[1]):
                loops.decays(step, pace[d, n], decay)
                loops.multiply(drive[:size], b_in[n, first:last].reshape(-1), heard)
                h[0] = state[d, n]
                run_state(decay[:size].reshape(count, lanes), heard[:size].reshape(count, lanes), h)
                state[d, n] = h[count]
                loops.add_products(out, h[1 : count + 1].reshape(-1), c_out[n, first:last].reshape(-1))


@jit
def selective_backward(grad, end, u, delta, b_in, c_out, pace, kept, du, ddelta, db_in, dc_out, dpace):
    """db_in, dc_out and dpace begin at 0. `end`: of the last state, and then of the first."""
    inner, steps, lanes = u.shape
    most = CHUNK * lanes
    drive, decay, heard = np.empty(most, u.dtype), np.empty(most, u.dtype), np.empty(most, u.dtype)
    asked, of_drive, of_exponent = np.empty(most, u.dtype), np.empty(most, u.dtype), np.empty(most, u.dtype)
    h, held = np.empty((CHUNK + 1, lanes), u.dtype), np.empty((CHUNK + 1, lanes), u.dtype)
    minus = u.dtype.type(-1.0)
    for first in range((steps - 1) // CHUNK * CHUNK, -1, -CHUNK):
        last = min(first + CHUNK, steps)
        count, size = last - first, (last - first) * lanes
        of_state = asked[:size]
        for d in range(inner):
            step, row, g = (
                delta[d, first:last].reshape(-1),
                u[d, first:last].reshape(-1),
                grad[d, first:last].reshape(-1),
            )
            loops.multiply(step, row, drive)
            of_drive[:], of_exponent[:] = 0, 0
            for n in range(pace.shape[1]):
                said, told = b_in[n, first:last].reshape(-1), c_out[n, first:last].reshape(-1)
                loops.decays(step, pace[d, n], decay)
                loops.multiply(drive[:size], said, heard)
                h[0] = kept[first // CHUNK, d, n]
                run_state(decay[:size].reshape(count, lanes), heard[:size].reshape(count, lanes), h)
                loops.multiply(g, told, asked)
                held[count] = end[d, n]
                run_state_back(decay[:size].reshape(count, lanes), asked[:size].reshape(count, lanes), held)
                end[d, n] = held[0]
                loops.add_products(dc_out[n, first:last].reshape(-1), g, h[1 : count + 1].reshape(-1))
                loops.add(of_state, held[1 : count + 1].reshape(-1))
                loops.add_products(db_in[n, first:last].reshape(-1), of_state, drive)
                loops.add_products(of_drive[:size], of_state, said)
                loops.multiply(
                    held[:count].reshape(-1), h[:count].reshape(-1), heard
                )  # of -delta pace, the decay's exponent
                dpace[d, n] -= np.dot(heard[:size], step)
                loops.add_scaled(of_exponent[:size], heard, pace[d, n])
            loops.multiply(of_drive[:size], step, du[d, first:last].reshape(-1))
            loops.multiply(of_drive[:size], row, ddelta[d, first:last].reshape(-1))
            loops.add_scaled(ddelta[d, first:last].reshape(-1), of_exponent, minus)
