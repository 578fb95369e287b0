#!/usr/bin/python3
"""Makes the TCN fixtures beside this file: random weights, and the output of plain float64 convolutions over
the whole signal, by the formulas of nodes/models/tcn/tcn_weights.hpp. They share only the formulas with the
C++.

    make_tcn_fixtures.py        (the same files on every run; see fixture_parts.py)"""

import numpy as np
from fixture_parts import as_stored, control, of_random_weights, on_grid, save, save_input, test_input

RATE, FRAMES = 48000, 2400


def names_of(weights, prefix):
    return sum(
        1
        for n in weights
        if n.startswith(prefix) and n.endswith("weight") and n.count(".") == prefix.count(".") + 1
    )


def conditioning(w, heard):
    for m in range(names_of(w, "conditioning.")):
        heard = np.maximum(w[f"conditioning.{m}.weight"] @ heard + w[f"conditioning.{m}.bias"], 0.0)
    return heard


def gains_and_offsets(w, block, z):
    """Gain and offset of the normalised convolution: the FiLM layer."""
    channels = len(w[f"blocks.{block}.conv.weight"])
    if f"blocks.{block}.film.bias" not in w:
        return np.concatenate([np.ones(channels), np.zeros(channels)])
    bias = w[f"blocks.{block}.film.bias"]
    return w[f"blocks.{block}.film.weight"] @ z + bias if len(z) else bias


def history_of(w, config, block):
    taps = w[f"blocks.{block}.conv.weight"].shape[2]
    return (taps - 1) * config["dilation_growth"] ** (block % config.get("stack_size", 99))


def residual_delay(w, config, block):
    history = history_of(w, config, block)
    return history - history // 2 if not config.get("causal", True) else config.get("residual_delay", 0)


def blocks_of(w):
    return sum(1 for n in w if n.endswith("conv.weight"))


def receptive_field(w, config):
    return 1 + sum(max(history_of(w, config, b), residual_delay(w, config, b)) for b in range(blocks_of(w)))


def block(w, config, number, x, past, lines):
    """x: (channels, samples). `past`: (channels, samples) before it, as many as matter."""
    p = f"blocks.{number}."
    conv, residual = w[p + "conv.weight"], w[p + "residual.weight"]
    c, group, taps = conv.shape
    samples, before = x.shape[1], past.shape[1]
    dilation = history_of(w, config, number) // max(taps - 1, 1)
    signal = np.concatenate([past, x], axis=1)

    def late(delay):
        return signal[:, before - delay : before - delay + samples]

    a = np.zeros((c, samples))
    for o in range(c):
        first = o // (c * group // len(x)) * group  # the first input of the output's group
        for j in range(taps):
            a[o] += conv[o, :, j] @ late((taps - 1 - j) * dilation)[first : first + group]
    if p + "conv.bias" in w:
        a += w[p + "conv.bias"][:, None]
    if p + "norm.mean" in w:
        a = (a - w[p + "norm.mean"][:, None]) / np.sqrt(w[p + "norm.variance"] + 1e-5)[:, None]
    a = lines[:, :c].T * a + lines[:, c:].T
    a = np.where(a > 0, a, w[p + "slope"][:, None] * a)
    r = late(residual_delay(w, config, number))
    if residual.shape[1] == len(x):
        return a + residual @ r
    return a + residual * r[np.arange(c) * len(x) // c]


def play(w, config, controls, start, moves, x):
    count = blocks_of(w)
    sizes = [2 * len(w[f"blocks.{b}.conv.weight"]) for b in range(count)]
    ends = np.cumsum([0, *sizes])
    lines = on_grid(
        lambda heard: np.concatenate([gains_and_offsets(w, b, conditioning(w, heard)) for b in range(count)]),
        controls,
        start,
        moves,
        len(x),
        RATE,
    )
    silence = receptive_field(w, config) if config.get("start", "silence") == "silence" else 0
    lines = np.concatenate([np.repeat(lines[:1], silence, axis=0), lines])
    h = np.concatenate([np.zeros(silence), x])[None]
    for b in range(count):
        past = np.zeros((len(h), max(history_of(w, config, b), residual_delay(w, config, b))))
        h = block(w, config, b, h, past, lines[:, ends[b] : ends[b + 1]])
    y = w["output.weight"] @ h + w["output.bias"] if "output.weight" in w else h
    y = np.tanh(y[0]) if config.get("final_tanh") == "tanh" else y[0]
    return y[silence:]


# -------------------------------------------------------------------------------- what is made

LIMIT = {**control("limit", "", 0.0, 1.0, 0.0), "steps": 2}
PEAK = control("peak_reduction", "", 0.0, 100.0, 40.0, 0.01)
TONE, DEPTH = control("tone", "", -10.0, 10.0, 1.0), control("depth", "%", 0.0, 100.0, 30.0, 0.02, -1.0)


def layers(r, sizes):
    out = {}
    for m, (a, b) in enumerate(zip(sizes, sizes[1:])):
        out[f"conditioning.{m}.weight"] = r.normal(0, 1.0 / np.sqrt(a), (b, a))
        out[f"conditioning.{m}.bias"] = r.normal(0.2, 0.3, b)
    return out


def some_block(r, number, c, i, taps, z, groups=1, slopes=None, norm=True, bias=False, full=False):
    p = f"blocks.{number}."
    conv = r.normal(0, 1.6 / np.sqrt(i // groups * taps), (c, i // groups, taps))
    slope = r.uniform(0.0, 0.5, slopes or c)
    residual = r.normal(0, 0.7 / np.sqrt(i), (c, i)) if full else r.uniform(-1.0, 1.0, (c, 1))
    out = {
        p + "conv.weight": conv,
        p + "slope": slope,
        p + "residual.weight": residual,
        p + "film.bias": np.concatenate([r.normal(0.8, 0.1, c), r.normal(0, 0.02, c)]),
    }
    if z:
        out[p + "film.weight"] = r.normal(0, 0.3 / np.sqrt(z), (2 * c, z))
    if norm:
        out[p + "norm.mean"], out[p + "norm.variance"] = r.normal(0, 0.1, c), r.uniform(0.5, 2.0, c)
    if bias:
        out[p + "conv.bias"] = r.normal(0, 0.1, c)
    return out


def output(r, c):
    return {"output.weight": r.normal(0, 1.5 / np.sqrt(c), (1, c)), "output.bias": r.normal(0, 0.05, 1)}


def fixtures():
    r = np.random.default_rng(41)
    weights = {**layers(r, (2, 4, 6)), **output(r, 5)}
    for n in range(4):
        weights.update(some_block(r, n, 5, 5 if n else 1, 3, 6))
    yield (
        "causal",
        {"dilation_growth": 4, "residual_delay": 1, "final_tanh": "tanh", "start": "silence"},
        [LIMIT, PEAK],
        weights,
        1003,
        [
            [300, "peak_reduction", 90.0, 0.0],
            [613, "limit", 1.0, 0.0],
            [900, "peak_reduction", 10.0, 20.0],
            [1200, "peak_reduction", 70.0, 5.0],
            [1700, "limit", 0.0, 0.0],
            [1800, "peak_reduction", 0.0, 0.1],
        ],
    )
    r = np.random.default_rng(42)
    weights = {
        **some_block(r, 0, 3, 1, 4, 0, norm=False, bias=True),
        **some_block(r, 1, 6, 3, 4, 0),
        **some_block(r, 2, 6, 6, 4, 0, groups=3),
        **some_block(r, 3, 18, 6, 2, 0, slopes=1, full=True),
        **output(r, 18),
    }
    del weights["blocks.2.film.bias"]
    yield (
        "centred-grouped",
        {"dilation_growth": 7, "stack_size": 3, "causal": False, "final_tanh": "none", "start": "zeros"},
        [],
        weights,
        0,
        [],
    )
    r = np.random.default_rng(43)
    weights = {}
    for n, (c, i) in enumerate(((4, 1), (4, 4), (1, 4))):
        weights.update(some_block(r, n, c, i, 5, 2, slopes=1, norm=False, bias=True, full=True))
    yield (
        "raw-controls",
        {"dilation_growth": 10, "residual_delay": 1, "final_tanh": "none", "start": "zeros"},
        [TONE, DEPTH],
        weights,
        16,
        [[160, "tone", -4.0, 0.0], [500, "depth", 100.0, 4.0], [1000, "tone", 3.0, 20.0]],
    )
    r = np.random.default_rng(44)
    weights = {**some_block(r, 0, 33, 1, 2, 1), **output(r, 33)}
    yield (
        "one-block",
        {"dilation_growth": 1, "residual_delay": 0, "final_tanh": "tanh"},
        [PEAK],
        weights,
        0,
        [[2000, "peak_reduction", 90.0, 20.0]],
    )


if __name__ == "__main__":
    x = test_input(FRAMES, RATE)
    save_input("tcn", x)
    for name, config, controls, weights, start, moves in fixtures():
        stored = as_stored(weights)
        expected = play(stored, config, controls, start, moves, x.astype(np.float64))
        field = receptive_field(stored, config)
        latency = (field - 1) - (field - 1) // 2 if not config.get("causal", True) else 0
        save(
            "tcn",
            name,
            stored,
            expected,
            start,
            moves,
            of_random_weights(
                "tcn",
                config,
                RATE,
                controls,
                latency_samples=latency,
                receptive_field=field,
                memory_samples=field,
            ),
        )
        print(
            f"{name}: receptive field {field}, peak {np.abs(expected).max():.2f}, deviation {expected.std():.3f}"
        )
