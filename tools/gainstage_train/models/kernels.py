"""Inner loops for the CPU, compiled by numba: recurrences over time, side by side over a batch. Arrays are
[time, rows, batch]: the last axis is what a processor's vectors run along. Kernels take the type of their
arrays; 64 bits is for tests."""

import numba
import numpy as np
from numba import types
from numba.extending import overload

jit = numba.njit(cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")

# tanh x = x p(x^2) / q(x^2) for |x| < 7.9, a few last places off in 32 bits (the coefficients of Eigen's
# float tanh)
LIMIT = np.float32(7.90531110763549805)
P = tuple(
    np.float32(v)
    for v in (
        -2.76076847742355e-16,
        2.00018790482477e-13,
        -8.60467152213735e-11,
        5.12229709037114e-08,
        1.48572235717979e-05,
        6.37261928875436e-04,
        4.89352455891786e-03,
    )
)
Q = tuple(
    np.float32(v)
    for v in (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)
)
P0, P1, P2, P3, P4, P5, P6 = P
Q0, Q1, Q2, Q3 = Q
HALF, ONE = np.float32(0.5), np.float32(1.0)


def tanh(x):
    return np.tanh(x)


def sigmoid(x):
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def exp_minus(x):
    """exp(-x) of x >= 0"""
    return np.exp(-x)


@jit
def tanh_32(x):
    x = LIMIT if x > LIMIT else x
    x = -LIMIT if x < -LIMIT else x
    s = x * x
    p = P6 + s * (P5 + s * (P4 + s * (P3 + s * (P2 + s * (P1 + s * P0)))))
    return x * p / (Q3 + s * (Q2 + s * (Q1 + s * Q0)))


@overload(tanh)
def choose_tanh(x):
    if x == types.float32:
        return lambda x: tanh_32(x)
    return lambda x: np.tanh(x)


@overload(sigmoid)
def choose_sigmoid(x):
    if x == types.float32:
        return lambda x: HALF + HALF * tanh_32(HALF * x)
    return lambda x: 0.5 + 0.5 * np.tanh(0.5 * x)


@overload(exp_minus)
def choose_exp_minus(x):
    if x == types.float32:

        def fast(x):
            t = tanh_32(HALF * x)
            return (ONE - t) / (ONE + t)

        return fast
    return lambda x: np.exp(-x)


@jit
def add_product(out, w, v):
    """out[g, b] += sum_j w[g, j] v[j, b]"""
    rows, inner = w.shape
    lanes = out.shape[1]
    whole = inner - inner % 4
    for g in range(rows):
        for j in range(0, whole, 4):
            a0, a1, a2, a3 = w[g, j], w[g, j + 1], w[g, j + 2], w[g, j + 3]
            for b in range(lanes):
                out[g, b] += a0 * v[j, b] + a1 * v[j + 1, b] + a2 * v[j + 2, b] + a3 * v[j + 3, b]
        for j in range(whole, inner):
            a = w[g, j]
            for b in range(lanes):
                out[g, b] += a * v[j, b]


@jit
def product(out, w, v):
    """out = w v; arrays without gaps. Of many units by BLAS, of few faster without."""
    if w.shape[1] >= 16:
        np.dot(w, v, out)
    else:
        out[:] = 0
        add_product(out, w, v)


# -------------------------------------------------------------------------------- Elman


@jit
def rnn_forward(x, w_ih, w_hh, base, h):
    """h [time + 1, units, batch], its first row given; x [time, inputs, batch]; base [units, batch]."""
    units, lanes = base.shape
    for t in range(len(x)):
        out = h[t + 1]
        out[:] = base
        add_product(out, w_ih, x[t])
        add_product(out, w_hh, h[t])
        for k in range(units):
            for b in range(lanes):
                out[k, b] = tanh(out[k, b])


@jit
def rnn_backward(grad, h, w_ih_t, w_hh_t, d, dx, dh):
    """grad: of h[1:]; dh [units, batch]: of the last one's future, and then of the first one. d [time, units,
    batch]: of the sums."""
    units, lanes = dh.shape
    one = dh.dtype.type(1.0)
    for t in range(len(grad) - 1, -1, -1):
        for k in range(units):
            for b in range(lanes):
                y = h[t + 1, k, b]
                d[t, k, b] = (dh[k, b] + grad[t, k, b]) * (one - y * y)
                dh[k, b] = 0
        add_product(dh, w_hh_t, d[t])
        add_product(dx[t], w_ih_t, d[t])


# -------------------------------------------------------------------------------- GRU


@jit
def gru_forward(x, w_ih, w_hh, base, bias_n, h, gates):
    """Rows of weights and `base` in the order r, z, n; gates [time, 4 units, batch]: r, z, n, and n's
    recurrent part."""
    units, lanes = h.shape[1], h.shape[2]
    one = h.dtype.type(1.0)
    for t in range(len(x)):
        g = gates[t]
        product(g[: 2 * units], w_hh[: 2 * units], h[t])
        product(g[3 * units :], w_hh[2 * units :], h[t])
        for k in range(2 * units):
            for b in range(lanes):
                g[k, b] += base[k, b]
        for k in range(units):
            for b in range(lanes):
                g[2 * units + k, b] = base[2 * units + k, b]
                g[3 * units + k, b] += bias_n[k]
        add_product(g[: 3 * units], w_ih, x[t])
        for k in range(2 * units):
            for b in range(lanes):
                g[k, b] = sigmoid(g[k, b])
        for k in range(units):
            for b in range(lanes):
                n = tanh(g[2 * units + k, b] + g[k, b] * g[3 * units + k, b])
                z = g[units + k, b]
                g[2 * units + k, b] = n
                h[t + 1, k, b] = (one - z) * n + z * h[t, k, b]


@jit
def gru_backward(grad, h, gates, w_ih_t, w_rz_t, w_n_t, d, dx, dh):
    """d [time, 4 units, batch]: of the sums in r, z, n and of n's recurrent part."""
    units, lanes = dh.shape
    other = np.empty_like(dh)
    one = dh.dtype.type(1.0)
    for t in range(len(grad) - 1, -1, -1):
        for k in range(units):
            for b in range(lanes):
                r, z, n = gates[t, k, b], gates[t, units + k, b], gates[t, 2 * units + k, b]
                g = dh[k, b] + grad[t, k, b]
                dn = g * (one - z) * (one - n * n)
                d[t, k, b] = dn * gates[t, 3 * units + k, b] * r * (one - r)
                d[t, units + k, b] = g * (h[t, k, b] - n) * z * (one - z)
                d[t, 2 * units + k, b] = dn
                d[t, 3 * units + k, b] = dn * r
                dh[k, b] = g * z
        product(other, w_rz_t, d[t, : 2 * units])
        dh += other
        product(other, w_n_t, d[t, 3 * units :])
        dh += other
        add_product(dx[t], w_ih_t, d[t, : 3 * units])


# -------------------------------------------------------------------------------- LSTM


@jit
def lstm_forward(x, w_ih, w_hh, base, begin_h, begin_c, window, h, before, c, gates):
    """Rows in the order i, f, g, o. h [time, units, batch]: out; `before`: what each step started from, the
    first row given; c [time + 1, ...]: as each step found it, the first given. Where `window` > 0, at the
    start of every window h is begin_h[window] and begin_c[window] is added to c."""
    units, lanes = h.shape[1], h.shape[2]
    steps = len(x)
    for t in range(steps):
        if window > 0 and t % window == 0:
            before[t] = begin_h[t // window]
            for k in range(units):
                for b in range(lanes):
                    c[t, k, b] += begin_c[t // window, k, b]
        g = gates[t]
        product(g, w_hh, before[t])
        for k in range(4 * units):
            for b in range(lanes):
                g[k, b] += base[k, b]
        add_product(g, w_ih, x[t])
        for k in range(2 * units):
            for b in range(lanes):
                g[k, b] = sigmoid(g[k, b])
        for k in range(units):
            for b in range(lanes):
                n = tanh(g[2 * units + k, b])
                o = sigmoid(g[3 * units + k, b])
                g[2 * units + k, b] = n
                g[3 * units + k, b] = o
                new = g[units + k, b] * c[t, k, b] + g[k, b] * n
                c[t + 1, k, b] = new
                h[t, k, b] = o * tanh(new)
        if t + 1 < steps:
            before[t + 1] = h[t]


@jit
def lstm_backward(grad, c, gates, w_ih_t, w_hh_t, window, d, dx, dh, dc, dbegin_h, dbegin_c):
    """dh, dc: of the end, and then of the start."""
    units, lanes = dh.shape
    one = dh.dtype.type(1.0)
    for t in range(len(grad) - 1, -1, -1):
        for k in range(units):
            for b in range(lanes):
                i, f = gates[t, k, b], gates[t, units + k, b]
                n, o = gates[t, 2 * units + k, b], gates[t, 3 * units + k, b]
                s = tanh(f * c[t, k, b] + i * n)
                g = dh[k, b] + grad[t, k, b]
                e = dc[k, b] + g * o * (one - s * s)
                d[t, k, b] = e * n * i * (one - i)
                d[t, units + k, b] = e * c[t, k, b] * f * (one - f)
                d[t, 2 * units + k, b] = e * i * (one - n * n)
                d[t, 3 * units + k, b] = g * s * o * (one - o)
                dc[k, b] = e * f
        product(dh, w_hh_t, d[t])
        add_product(dx[t], w_ih_t, d[t])
        if window > 0 and t % window == 0:
            dbegin_h[t // window] = dh
            dbegin_c[t // window] = dc
            dh[:] = 0
