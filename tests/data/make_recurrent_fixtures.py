#!/usr/bin/python3
"""Makes the LSTM and GRU fixtures beside this file: random weights, and the output of a plain float64 loop
over the formulas of nodes/layers/lstm_cell.hpp and gru_cell.hpp. The loop shares only the formulas with the
C++.

    make_recurrent_fixtures.py        (the same files on every run; see fixture_parts.py)"""

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


class Layer:
    def __init__(self, w, prefix):
        self.w = {n: w[f"{prefix}.{n}"] for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        self.units = self.w["weight_hh"].shape[1]
        self.h, self.c = np.zeros(self.units), np.zeros(self.units)

    def step(self, x):
        w, n = self.w, self.units
        a, b = w["weight_ih"] @ x + w["bias_ih"], w["weight_hh"] @ self.h + w["bias_hh"]
        if len(a) == 4 * n:
            i, f, o = (sigmoid((a + b)[g * n : (g + 1) * n]) for g in (0, 1, 3))
            self.c = f * self.c + i * np.tanh((a + b)[2 * n : 3 * n])
            self.h = o * np.tanh(self.c)
        else:
            r, z = sigmoid(a[:n] + b[:n]), sigmoid(a[n : 2 * n] + b[n : 2 * n])
            self.h = (1.0 - z) * np.tanh(a[2 * n :] + r * b[2 * n :]) + z * self.h
        return self.h


def play(w, config, controls, start, moves, x):
    layers = [Layer(w, f"layers.{n}") for n in range(sum(1 for name in w if name.endswith("weight_hh")))]
    out = []
    for sample, (t, _, heard) in zip(x, moving_knobs(controls, start, moves, len(x), RATE)):
        h = np.concatenate([[sample], heard(t)])
        for layer in layers:
            h = layer.step(h)
        y = float(w["output.weight"][0] @ h + w["output.bias"][0])
        y = np.tanh(y) if config["final_tanh"] == "tanh" else y
        out.append(y + sample if config["skip"] else y)
    return np.array(out)


# -------------------------------------------------------------------------------- what is made

LIMIT = {**control("limit", "", 0.0, 1.0, 0.0), "steps": 2}
PEAK = control("peak_reduction", "", 0.0, 100.0, 30.0, 0.02, -1.0)


def network(random, gates, units, inputs, layers=1):
    out = {}
    for n in range(layers):
        i = units if n else inputs
        shapes = {
            "weight_ih": (gates * units, i),
            "weight_hh": (gates * units, units),
            "bias_ih": (gates * units,),
            "bias_hh": (gates * units,),
        }
        out.update(
            {
                f"layers.{n}.{name}": random.uniform(-1.2, 1.2, shape)
                / (units if name == "weight_hh" else 1) ** 0.5
                for name, shape in shapes.items()
            }
        )
    return {
        **out,
        "output.weight": random.uniform(-0.5, 0.5, (1, units)),
        "output.bias": random.uniform(-0.1, 0.1, 1),
    }


def fixtures():
    moves = [
        [300, "peak_reduction", 80.0, 0.0],
        [777, "peak_reduction", 10.0, 20.0],
        [1500, "peak_reduction", 95.0, 5.0],
    ]
    with_switch = [*moves, [1000, "limit", 1.0, 0.0]]
    yield (
        "lstm",
        "two-knobs",
        {"final_tanh": "tanh", "skip": 0},
        [LIMIT, PEAK],
        network(np.random.default_rng(51), 4, 19, 3),
        1005,
        with_switch,
    )
    plain = {"final_tanh": "none", "skip": 1}
    yield "lstm", "two-layers", plain, [], network(np.random.default_rng(52), 4, 6, 1, 2), 0, []
    plain = {"final_tanh": "none", "skip": 0}
    yield "gru", "one-knob", plain, [PEAK], network(np.random.default_rng(53), 3, 8, 2), 0, moves
    yield (
        "gru",
        "two-layers",
        {"final_tanh": "tanh", "skip": 1},
        [LIMIT, PEAK],
        network(np.random.default_rng(54), 3, 17, 3, 2),
        3,
        with_switch,
    )


if __name__ == "__main__":
    x = test_input(FRAMES, RATE)
    for family in ("lstm", "gru"):
        save_input(family, x)
    for family, name, config, controls, weights, start, moves in fixtures():
        stored = as_stored(weights)
        expected = play(stored, config, controls, start, moves, x.astype(np.float64))
        save(
            family,
            name,
            stored,
            expected,
            start,
            moves,
            of_random_weights(
                family,
                config,
                RATE,
                controls,
                memory_samples=4800,
            ),
        )
        print(f"{family} {name}: peak {np.abs(expected).max():.2f}, deviation {expected.std():.3f}")
