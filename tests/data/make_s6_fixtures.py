#!/usr/bin/python3
"""Makes the S6 fixtures beside this file: random weights, an input, and the output of a plain float64 loop
over the formulas of nodes/models/s6/s6_weights.hpp, frame by frame. The loop shares only the formulas with
the C++.

    make_s6_fixtures.py        (the same files on every run; fixture_parts.py describes them)"""

import math

import numpy as np

from fixture_parts import (
    as_stored,
    control,
    moving_knobs,
    of_random_weights,
    save,
    save_input,
    sigmoid,
    test_input,
)

RATE, FRAMES = 48000, 2400
NAMES = ("drive", "depth", "speed")


def gelu(x):
    return np.array([0.5 * v * (1.0 + math.erf(v / math.sqrt(2.0))) for v in x])


# -------------------------------------------------------------------------------- sound


class Ssm:
    def __init__(self, w, prefix, remembers):
        self.w = {n[len(prefix) + 1 :]: v for n, v in w.items() if n.startswith(prefix + ".")}
        self.h, self.remembers = np.zeros(self.w["a_log"].shape), remembers
        if "conv.weight" in self.w:
            self.past = np.zeros(self.w["conv.weight"].shape)

    def __call__(self, x):
        w, gate = self.w, 1.0
        u = x
        if "in.weight" in w:
            a, g = np.split(w["in.weight"] @ x, 2)
            self.past = np.column_stack([self.past[:, 1:] if self.remembers else 0.0 * self.past[:, 1:], a])
            c = (w["conv.weight"] * self.past).sum(axis=1) + w["conv.bias"]
            u, gate = c * sigmoid(c), g * sigmoid(g)
        rank, states = w["dt.weight"].shape[1], self.h.shape[1]
        p = w["x.weight"] @ u
        r, b, c = p[:rank], p[rank : rank + states], p[rank + states :]
        delta = np.log1p(np.exp(w["dt.weight"] @ r + w["dt.bias"]))
        before = np.exp(-delta[:, None] * np.exp(w["a_log"])) * self.h if self.remembers else 0.0
        self.h = before + np.outer(delta * u, b)
        return w["out.weight"] @ ((self.h @ c + w["skip"] * u) * gate) + w["out.bias"]


class Gru:
    """Its state is the one of `lag` samples ago."""

    def __init__(self, w, lag):
        self.w = {n[len("temporal.") :]: v for n, v in w.items() if n.startswith("temporal.")}
        self.states = [np.zeros(self.w["weight_hh"].shape[1])] * lag

    def __call__(self, x):
        w, h = self.w, self.states[0]
        n = len(h)
        a, b = w["weight_ih"] @ x + w["bias_ih"], w["weight_hh"] @ h + w["bias_hh"]
        r, z = sigmoid(a[:n] + b[:n]), sigmoid(a[n : 2 * n] + b[n : 2 * n])
        new = (1.0 - z) * np.tanh(a[2 * n :] + r * b[2 * n :]) + z * h
        self.states = self.states[1:] + [new]
        return new


def play(w, config, controls, start, moves, x):
    recurrent = config["meaning"] == "recurrent"
    act = gelu if config["activation"] == "gelu" else np.tanh
    layers = [Ssm(w, f"ssm.{i}", recurrent) for i in (0, 1) if f"ssm.{i}.a_log" in w]
    gru = Gru(w, 1 if recurrent else config["batch"]) if "temporal.weight_hh" in w else None
    window = w["input.weight"].shape[1]

    def dense(v, name):
        return w[name + ".weight"] @ v + w[name + ".bias"]

    def glu(v, name):
        out, gate = np.split(dense(v, name), 2)
        return out * gate / (1.0 + np.abs(gate))

    past, out = np.zeros(window), []
    for sample, (t, _, heard) in zip(x, moving_knobs(controls, start, moves, FRAMES, RATE)):
        z, past = heard(t), np.append(past[1:], sample)
        features = np.zeros(0)
        if "features.weight" in w:
            features = dense(np.abs(np.fft.rfft(past, 2 * w["features.weight"].shape[1] - 1)), "features")
        first = w["film.weight"].shape[1] - len(features)
        v = act(dense(layers[0](dense(past, "input")), "mix.0"))
        a, b = np.split(dense(np.append(z[:first], features), "film"), 2)
        v = glu(a * v + b, "film.glu")
        if gru:
            a, b = np.split(gru(np.append(z[first:], features)), 2)
            v = act(dense(layers[1](glu(a * v + b, "temporal.glu")), "mix.1"))
        out.append(dense(v, "output")[0] * (sample if config["product"] else 1.0))
    return np.array(out)


# -------------------------------------------------------------------------------- what is made


def layer(random, name, outputs, inputs, scale=1.0):
    return {
        name + ".weight": scale * random.normal(0, 1.0 / np.sqrt(inputs), (outputs, inputs)),
        name + ".bias": random.normal(0, 0.2, outputs),
    }


def ssm(random, name, inputs, inner, states, rank, taps, outputs):
    out = {
        f"{name}.a_log": np.log(np.arange(1, states + 1) * random.uniform(0.7, 1.3, (inner, states))),
        f"{name}.skip": random.normal(0, 1, inner),
        f"{name}.x.weight": random.normal(0, 0.6, (rank + 2 * states, inner)),
        **layer(random, f"{name}.dt", inner, rank),
        **layer(random, f"{name}.out", outputs, inner),
    }
    out[f"{name}.dt.bias"] = np.log(np.expm1(np.exp(random.uniform(np.log(0.002), np.log(0.1), inner))))
    if taps:
        out[f"{name}.in.weight"] = random.normal(0, 1.0 / np.sqrt(inputs), (2 * inner, inputs))
        out[f"{name}.conv.weight"] = random.normal(0, 0.5, (inner, taps))
        out[f"{name}.conv.bias"] = random.normal(0, 0.2, inner)
    return out


def temporal(random, units, inputs):
    shapes = {
        "weight_ih": (3 * units, inputs),
        "weight_hh": (3 * units, units),
        "bias_ih": (3 * units,),
        "bias_hh": (3 * units,),
    }
    return {f"temporal.{name}": random.uniform(-0.7, 0.7, shape) for name, shape in shapes.items()}


def whole(random, window, bins, features, first, second, inner, states):
    """All stages. Their widths differ, so that none can be mistaken for another."""
    return {
        **layer(random, "input", 3, window),
        **ssm(random, "ssm.0", 3, inner, states, 2, 4, 4),
        **layer(random, "mix.0", 2, 4, 1.5),
        **layer(random, "features", features, bins, 0.3),
        **layer(random, "film", 4, first + features),
        **layer(random, "film.glu", 6, 2, 1.5),
        **temporal(random, 6, second + features),
        **layer(random, "temporal.glu", 10, 3, 1.5),
        **ssm(random, "ssm.1", 5, inner + 2, states, 3, 3, 2),
        **layer(random, "mix.1", 3, 2, 1.5),
        **layer(random, "output", 1, 3),
    }


def knobs(*scales):
    return [control(name, "", 0.0, 1.0, 0.4, *scale) for name, scale in zip(NAMES, scales)]


MOVES = [
    [500, "drive", 0.9, 0.0],
    [800, "depth", 1.0, 10.0],
    [901, "depth", 0.0, 5.0],
    [1603, "drive", 0.1, 0.0],
    [1800, "drive", 0.7, 0.1],
]


def fixtures():
    config = {"meaning": "recurrent", "activation": "gelu", "product": True}
    r = np.random.default_rng(31)
    yield (
        "recurrent",
        config,
        knobs((1.0, 0.0), (2.0, -1.0), (1.0, 0.0)),
        whole(r, 24, 16, 2, 1, 2, 5, 3),
        1005,
        MOVES + [[1200, "speed", 1.0, 20.0]],
    )
    r = np.random.default_rng(32)
    yield (
        "as-trained",
        {**config, "meaning": "as_trained", "batch": 150},
        knobs((1.0, 0.0), (1.0, 0.0)),
        whole(r, 20, 33, 3, 2, 0, 6, 4),
        0,
        MOVES,
    )
    r = np.random.default_rng(33)
    yield (
        "plain",
        {"meaning": "recurrent", "activation": "tanh", "product": False},
        knobs((1.0, 0.0), (1.0, 0.0)),
        {
            **layer(r, "input", 6, 16),
            **ssm(r, "ssm.0", 6, 6, 6, 3, 0, 6),
            **layer(r, "mix.0", 6, 6),
            **layer(r, "film", 12, 2),
            **layer(r, "film.glu", 12, 6),
            **layer(r, "output", 1, 6),
        },
        7,
        MOVES,
    )


if __name__ == "__main__":
    x = 0.5 * test_input(FRAMES, RATE)
    save_input("s6", x)
    for name, config, controls, weights, start, moves in fixtures():
        stored = as_stored(weights)
        expected = play(stored, config, controls, start, moves, x.astype(np.float64))
        save(
            "s6",
            name,
            stored,
            expected,
            start,
            moves,
            of_random_weights(
                "s6",
                config,
                RATE,
                controls,
                memory_samples=RATE // 4,
            ),
        )
        print(f"{name}: peak {np.abs(expected).max():.3g}, rms {np.sqrt(np.mean(expected ** 2)):.3g}")
