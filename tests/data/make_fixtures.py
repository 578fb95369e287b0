#!/usr/bin/python3
"""Makes the grey-box fixtures beside this file: random weights, an input, and the output of a plain float64
loop over the formulas of nodes/models/grey_box/grey_box_weights.hpp. The loop shares only the formulas with
the C++.

    make_fixtures.py        (the same files on every run)

grey_box-NAME.safetensors   weights
grey_box-NAME.json          start (first stream sample), moves [frame, knob, value, smooth_ms]
grey_box-NAME.expected.f32  output, 32-bit floats, little-endian
grey_box-input.f32          input of all of them, mono, 48 kHz"""

import numpy as np

from fixture_parts import (
    as_stored,
    control,
    of_random_weights,
    on_grid,
    save,
    save_input,
    sigmoid,
    test_input,
)

RATE, FRAMES = 48000, 2400


# -------------------------------------------------------------------------------- knobs


def curves(w, config, controls, start, moves):
    """Threshold, slope and knee for each sample."""

    def network(h):
        last = max(int(n.split(".")[1]) for n in w if n.startswith("mlp."))
        for i in range(last + 1):
            h = w[f"mlp.{i}.weight"] @ h + w[f"mlp.{i}.bias"]
            if i < last:
                h = np.tanh(h) if config["mlp_activation"] == "tanh" else np.maximum(h, 0.0)
        knee = 30.0 * sigmoid(h[2]) if len(h) == 3 else 0.0
        return np.array([-80.0 * sigmoid(h[0]), 1.0 / (1.0 + 30.0 * sigmoid(h[1])) - 1.0, knee])

    return on_grid(network, controls, start, moves, FRAMES, RATE)


# -------------------------------------------------------------------------------- sound


class Cell:
    def __init__(self, w, prefix):
        self.w = {n[len(prefix) + 1 :]: v for n, v in w.items() if n.startswith(prefix + ".")}
        self.h = np.zeros(self.w["weight_hh"].shape[1])

    def __call__(self, u):
        w, h, n = self.w, self.h, len(self.h)
        a = w["weight_ih"][:, 0] * u + w["bias_ih"]
        b = w["weight_hh"] @ h + w["bias_hh"]
        if len(a) == n:
            self.h = np.tanh(a + b)
        else:
            r, z = sigmoid(a[:n] + b[:n]), sigmoid(a[n : 2 * n] + b[n : 2 * n])
            self.h = (1.0 - z) * np.tanh(a[2 * n :] + r * b[2 * n :]) + z * h
        return float(w["out.weight"][0] @ self.h + w["out.bias"][0])


def play(w, config, controls, start, moves, x):
    detector = Cell(w, "detector") if "detector.weight_hh" in w else None
    makeup = Cell(w, "makeup") if "makeup.weight_hh" in w else None
    s, out = 0.0, []
    for sample, (threshold, slope, knee) in zip(x, curves(w, config, controls, start, moves)):
        over = 20.0 * np.log10(max(abs(sample), 1e-4)) - threshold
        if 2.0 * over < -knee or over < 0.0 and knee == 0.0:
            g = 0.0
        elif 2.0 * over <= knee:
            g = slope * (over + knee / 2.0) ** 2 / (2.0 * knee)
        else:
            g = slope * over
        g /= 80.0
        tau = sigmoid(detector(g)) if detector else w["detector.tau_s"][0 if s > g else -1]
        alpha = np.exp(-1.0 / (tau * RATE))
        s = alpha * s + (1.0 - alpha) * g
        v = sample * 10.0 ** (80.0 * s / 20.0)
        if makeup:
            out.append(v + makeup(v))
        else:
            out.append((v + np.tanh(w["makeup.bias"][0])) * (1.0 + np.tanh(w["makeup.gain"][0])))
    return np.array(out)


# -------------------------------------------------------------------------------- what is made


def mlp(random, sizes, bias):
    out = {}
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        out[f"mlp.{i}.weight"] = random.normal(0, 1.0 / np.sqrt(a), (b, a))
        out[f"mlp.{i}.bias"] = random.normal(0, 0.3, b)
    out[f"mlp.{len(sizes) - 2}.bias"] = np.array(bias)
    return out


def cell(random, prefix, gates, units, out_scale, out_bias):
    shapes = {
        "weight_ih": (gates * units, 1),
        "weight_hh": (gates * units, units),
        "bias_ih": (gates * units,),
        "bias_hh": (gates * units,),
    }
    out = {f"{prefix}.{name}": random.uniform(-0.8, 0.8, shape) for name, shape in shapes.items()}
    return {
        **out,
        f"{prefix}.out.weight": random.uniform(-out_scale, out_scale, (1, units)),
        f"{prefix}.out.bias": np.array([out_bias]),
    }


PEAK = control("peak_reduction", "", 0.0, 100.0, 65.0, 0.02, -1.0)
DRIVE = control("drive", "", 0.0, 1.0, 0.25)


def fixtures():
    r = np.random.default_rng(21)
    yield (
        "switching-soft",
        {"mlp_activation": "relu", "knee": "soft", "detector": "switching", "makeup": "static"},
        [PEAK],
        {
            **mlp(r, (1, 8, 8, 3), (-0.2, -2.0, -0.5)),
            "detector.tau_s": np.array([0.001, 0.015]),
            "makeup.gain": np.array([0.3]),
            "makeup.bias": np.array([0.002]),
        },
        0,
        [
            [500, "peak_reduction", 20.0, 0.0],
            [900, "peak_reduction", 100.0, 10.0],
            [1100, "peak_reduction", 0.0, 5.0],
            [1600, "peak_reduction", 80.0, 0.0],
            [1800, "peak_reduction", 30.0, 0.1],
        ],
    )
    r = np.random.default_rng(22)
    yield (
        "rnn-gru-hard",
        {"mlp_activation": "tanh", "knee": "hard", "detector": "rnn", "makeup": "gru"},
        [PEAK],
        {
            **mlp(r, (1, 8, 8, 2), (0.2, -1.5)),
            **cell(r, "detector", 1, 4, 1.5, -5.0),
            **cell(r, "makeup", 3, 4, 0.3, 0.0),
        },
        0,
        [[777, "peak_reduction", 25.0, 0.0], [1500, "peak_reduction", 90.0, 20.0]],
    )
    r = np.random.default_rng(23)
    yield (
        "gru-rnn-two-knobs",
        {"mlp_activation": "tanh", "knee": "soft", "detector": "gru", "makeup": "rnn"},
        [PEAK, DRIVE],
        {
            **mlp(r, (2, 6, 3), (0.0, -1.0, 0.5)),
            **cell(r, "detector", 3, 3, 1.5, -6.0),
            **cell(r, "makeup", 1, 5, 0.2, 0.0),
        },
        1005,
        [[300, "drive", 1.0, 4.0], [330, "peak_reduction", 20.0, 20.0], [1400, "drive", 0.5, 0.0]],
    )


if __name__ == "__main__":
    x = test_input(FRAMES, RATE)
    save_input("grey_box", x)
    for name, config, controls, weights, start, moves in fixtures():
        stored = as_stored(weights)
        expected = play(stored, config, controls, start, moves, x.astype(np.float64))
        save(
            "grey_box",
            name,
            stored,
            expected,
            start,
            moves,
            of_random_weights(
                "grey_box",
                config,
                RATE,
                controls,
                memory_samples=RATE,
            ),
        )
        reduction = 20 * np.log10(np.sqrt(np.mean(x.astype(float)[100:] ** 2) / np.mean(expected[100:] ** 2)))
        print(f"{name}: {reduction:.1f} dB quieter than the input")
