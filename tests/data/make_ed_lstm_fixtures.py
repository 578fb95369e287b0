#!/usr/bin/python3
"""Makes the ED-LSTM fixtures beside this file: random weights, an input, and the output of a plain float64
loop over the formulas of nodes/models/ed_lstm/ed_lstm_weights.hpp, window by window. The loop shares only the
formulas with the C++.

    make_ed_lstm_fixtures.py        (the same files on every run; fixture_parts.py describes them)"""

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


def window_output(w, before, window, z, carried):
    """The output of the window, and c at its end. `carried`: c of the window before, if the state is
    carried."""

    def begin(name):
        start = w[f"encoder.{name}.weight"] @ before + w[f"encoder.{name}.bias"]
        return start + w[f"condition.{name}.weight"] @ z + w[f"condition.{name}.bias"] if len(z) else start

    h, c = begin("h"), carried + begin("c")
    for sample in window:
        i, f, g, o = np.split(
            w["lstm.weight_ih"][:, 0] * sample + w["lstm.weight_hh"] @ h + w["lstm.bias"], 4
        )
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return w["output.weight"] @ sigmoid(w["dense.weight"] @ h + w["dense.bias"]) + w["output.bias"], c


def play(w, controls, start, moves, x, carries):
    """As a stream: windows begin at multiples of their length, and each one sounds in place of the next."""
    length = w["output.weight"].shape[0]
    heard = [(t, z(t)) for t, _, z in moving_knobs(controls, start, moves, FRAMES, RATE)]
    sound = np.concatenate([np.zeros(2 * length), x])  # silence before the start
    out, carried = np.zeros(FRAMES + 2 * length), 0.0
    for frame, (t, z) in enumerate(heard):
        if t % length == 0:
            at = frame + 2 * length
            before, window = sound[at - length : at], sound[at : at + length]
            if len(window) == length:
                out[frame + length : frame + 2 * length], end = window_output(w, before, window, z, carried)
                carried = end if carries else 0.0
    return out[:FRAMES]


def network(random, length, units, inner, controls):
    def layer(name, outputs, inputs, scale):
        return {
            name + ".weight": random.normal(0, scale / np.sqrt(inputs), (outputs, inputs)),
            name + ".bias": random.normal(0, 0.2, outputs),
        }

    out = {}
    for name in ("h", "c"):
        out.update(layer("encoder." + name, units, length, 2.0))
        if controls:
            out.update(layer("condition." + name, units, controls, 1.0))
    return {
        **out,
        "lstm.weight_ih": random.normal(0, 1, (4 * units, 1)),
        "lstm.bias": random.normal(0, 0.3, 4 * units),
        "lstm.weight_hh": random.normal(0, 1.0 / np.sqrt(units), (4 * units, units)),
        **layer("dense", inner, units, 2.0),
        **layer("output", length, inner, 1.0),
    }


def fixtures():
    knobs = [control("ratio", "", 0.0, 1.0, 0.2), control("peak_reduction", "", 0.0, 100.0, 40.0, 0.01)]
    moves = [
        [480, "ratio", 0.9, 0.0],
        [725, "peak_reduction", 100.0, 0.0],
        [1200, "ratio", 0.0, 10.0],
        [1703, "peak_reduction", 5.0, 4.0],
    ]
    yield "w16", knobs, network(np.random.default_rng(61), 16, 20, 20, 2), 0, moves, {}
    yield "begins-within", knobs, network(np.random.default_rng(62), 24, 16, 9, 2), 1005, moves, {}
    yield "no-knobs", [], network(np.random.default_rng(63), 9, 5, 6, 0), 0, [], {}
    # windows and steps add little, and little is forgotten: c lasts over many windows, yet stays near 1
    slow = network(np.random.default_rng(64), 16, 20, 20, 2)
    slow["lstm.bias"][:40] += np.repeat([-4.0, 4.0], 20)
    for name in ("encoder.c.weight", "encoder.c.bias", "condition.c.weight", "condition.c.bias"):
        slow[name] *= 0.1
    yield "carried", knobs, slow, 1005, moves, {"state": "carried"}


if __name__ == "__main__":
    x = test_input(FRAMES, RATE)
    save_input("ed_lstm", x)
    for name, controls, weights, start, moves, config in fixtures():
        stored = as_stored(weights)
        carries = config.get("state") == "carried"
        expected = play(stored, controls, start, moves, x.astype(np.float64), carries)
        length = len(weights["output.bias"])
        save(
            "ed_lstm",
            name,
            stored,
            expected,
            start,
            moves,
            of_random_weights(
                "ed_lstm",
                {"window": length, **config},
                RATE,
                controls,
                latency_samples=length,
                receptive_field=0 if carries else 2 * length,
                memory_samples=4800 if carries else 2 * length,
            ),
        )
        print(f"{name}: peak {np.abs(expected).max():.2f}, deviation {expected.std():.3f}")
