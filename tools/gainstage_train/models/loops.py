"""Elementary loops over rows that lie in one piece, compiled by numba, for kernels that work through a chunk
of sound. Each has few arrays and no choice, and so becomes vector instructions; rows may be longer than the
one that sets the length, the first named."""

from .kernels import exp_minus, jit


@jit
def multiply(a, b, out):
    for i in range(a.size):
        out[i] = a[i] * b[i]


@jit
def add(out, a):
    for i in range(out.size):
        out[i] += a[i]


@jit
def add_products(out, a, b):
    for i in range(out.size):
        out[i] += a[i] * b[i]


@jit
def add_scaled(out, a, scale):
    for i in range(out.size):
        out[i] += scale * a[i]


@jit
def decays(steps, pace, out):
    """exp(-pace steps), both at least 0"""
    for i in range(steps.size):
        out[i] = exp_minus(steps[i] * pace)
