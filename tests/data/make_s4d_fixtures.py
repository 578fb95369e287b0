#!/usr/bin/python3
"""Makes the S4D fixtures beside this file: random weights, and the output of a plain float64 loop over the
formulas of nodes/models/s4d/s4d_weights.hpp, with nothing folded. The loop shares only the formulas with the
C++.

    make_s4d_fixtures.py        (the same files on every run; see fixture_parts.py)"""

import math

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
from gainstage_files.model_file import LONGEST_MEMORY_S
from gainstage_import.s4d import seconds_to_forget

RATE, FRAMES = 44100, 2400


# -------------------------------------------------------------------------------- formulas


def activated(kind, x, factor):
    if kind == "PReLU":
        return np.where(x > 0, x, factor * x)
    return {
        "Identity": lambda: x,
        "ReLU": lambda: np.maximum(x, 0.0),
        "tanh": lambda: np.tanh(x),
        "PTanh": lambda: factor * np.tanh(x),
        "sigmoid": lambda: sigmoid(x),
        "GELU": lambda: np.array([0.5 * v * (1.0 + math.erf(v / math.sqrt(2.0))) for v in x]),
    }[kind]()


class Ssm:
    def __init__(self, w, method):
        def as_complex(t):
            return t[..., 0] + 1j * t[..., 1]

        dt, a = np.exp(w["log_dt"]), -np.exp(w["log_a_real"]) + 1j * w["a_imag"]
        b = as_complex(w["b"]) if "b" in w else 1.0
        if method == "zoh":
            self.pole, self.input = np.exp(dt * a), b * (np.exp(dt * a) - 1.0) / a
        else:
            self.pole, self.input = (1.0 + dt * a / 2.0) / (1.0 - dt * a / 2.0), b * dt / (1.0 - dt * a / 2.0)
        self.c, self.d, self.s = as_complex(w["c"]), w["d"], np.zeros(a.shape, complex)

    def step(self, u):
        self.s = self.pole * self.s + self.input * u[:, None]
        return 2.0 * (self.c * self.s).sum(axis=1).real + self.d * u


def part(w, prefix):
    return {n[len(prefix) :]: t for n, t in w.items() if n.startswith(prefix)}


class Block:
    def __init__(self, w, config):
        self.w, self.kinds = w, (config["activation1"], config["activation2"])
        self.ssm = Ssm(part(w, "ssm."), config.get("discretisation", "zoh"))

    def film(self, z):
        """Gains, then offsets."""
        if "film.weight" in self.w:
            return self.w["film.weight"] @ z + self.w["film.bias"]
        c = len(self.w["ssm.d"])
        return self.w.get("film.bias", np.concatenate([np.ones(c), np.zeros(c)]))

    def norm(self, s):
        return (
            (s - self.w["norm.mean"]) / np.sqrt(self.w["norm.variance"] + 1e-5)
            if "norm.mean" in self.w
            else s
        )

    def step(self, x, film):
        w = self.w
        u = w["linear.weight"] @ x + w["linear.bias"] if "linear.weight" in w else x
        u = activated(self.kinds[0], u, w.get("activation1.factor"))
        gain, offset = np.split(film, 2)
        y = activated(self.kinds[1], gain * self.norm(self.ssm.step(u)) + offset, w.get("activation2.factor"))
        return y + w.get("residual", 0.0) * x


def squashed(how, y, w):
    return {"none": lambda: y, "tanh": lambda: np.tanh(y), "ptanh": lambda: w["tanh.factor"][0] * np.tanh(y)}[
        how
    ]()


def play(w, config, controls, start, moves, x):
    depth = sum(1 for n in w if n.endswith("ssm.d"))
    blocks = [Block(part(w, f"blocks.{i}."), config) for i in range(depth)]

    def conditioned(z):
        for i in range(sum(1 for n in w if n.startswith("conditioning.") and n.endswith("weight"))):
            z = np.maximum(w[f"conditioning.{i}.weight"] @ z + w[f"conditioning.{i}.bias"], 0.0)
        return np.stack([block.film(z) for block in blocks])

    out = []
    # The grid holds the whole gain and offset of each block: norm and FiLM together, which are linear in
    # FiLM's output.
    for sample, films in zip(x, on_grid(conditioned, controls, start, moves, len(x), RATE)):
        heard = 20.0 * np.log10(max(abs(sample), 1e-4)) if config.get("front_decibels") else sample
        h = w["expand.weight"][:, 0] * heard + w["expand.bias"]
        for block, film in zip(blocks, films):
            h = block.step(h, film)
        y = float(w["contract.weight"][0] @ h + w["contract.bias"][0])
        y = 10.0 ** (y / 20.0) if config.get("to_amplitude") else y
        y = squashed(config.get("tanh_before_product", "none"), y, w)
        y = y * sample if config.get("product") else y
        out.append(squashed(config.get("final_tanh", "none"), y, w))
    return np.array(out)


# -------------------------------------------------------------------------------- what is made

LIMIT = {**control("limit", "", 0.0, 1.0, 0.0), "steps": 2}
PEAK = control("peak_reduction", "", 0.0, 100.0, 40.0)
DRIVE = control("drive", "dB", -12.0, 12.0, 3.0, 0.1)


def layers(r, sizes):
    """The first layer reads a knob of 0..100, as published."""
    out = {}
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        out[f"conditioning.{i}.weight"] = r.normal(0, 1.0 / np.sqrt(a), (b, a)) * (
            [1.0, 0.02] if i == 0 else 1.0
        )
        out[f"conditioning.{i}.bias"] = r.normal(0.2, 0.3, b)
    return out


def some_block(
    r, number, c, n, z=0, linear=True, norm=True, residual=True, factors=(1, 1), b=False, untied=False
):
    """dt as the authors draw it, from 0.001 to 0.1, and one channel with a much longer memory."""
    log_dt = r.uniform(np.log(0.001), np.log(0.1), (c, n if untied else 1))
    log_dt[0] = np.log(1e-4)
    out = {
        "ssm.log_dt": log_dt,
        "ssm.log_a_real": np.log(r.uniform(0.3, 0.8, (c, n))),
        "ssm.a_imag": np.pi * np.arange(n) * r.uniform(0.9, 1.1, (c, n)),
        "ssm.c": r.normal(0, 0.4, (c, n, 2)),
        "ssm.d": r.normal(0, 0.7, c),
    }
    if b:
        out["ssm.b"] = r.normal(0, 1.0, (c, n, 2))
    if linear:
        out["linear.weight"], out["linear.bias"] = r.normal(0, 1.0 / np.sqrt(c), (c, c)), r.normal(0, 0.2, c)
    if norm:
        out["norm.mean"], out["norm.variance"] = r.normal(0, 0.3, c), r.uniform(0.2, 2.0, c)
    if z:
        out["film.weight"] = r.normal(0, 0.3 / np.sqrt(z), (2 * c, z))
    if z or norm:
        out["film.bias"] = np.concatenate([r.normal(0.8, 0.1, c), r.normal(0, 0.1, c)])
    if residual:
        out["residual"] = r.uniform(-1.0, 1.0, c)
    for k, count in enumerate(factors):
        if count:
            out[f"activation{k + 1}.factor"] = r.uniform(0.05, 0.5, count)
    return {f"blocks.{number}.{name}": t for name, t in out.items()}


def ends(r, c):
    return {
        "expand.weight": r.normal(0, 1.0, (c, 1)),
        "expand.bias": r.normal(0, 0.3, c),
        "contract.weight": r.normal(0, 1.0 / np.sqrt(c), (1, c)),
        "contract.bias": r.normal(0, 0.05, 1),
    }


def fixtures():
    r = np.random.default_rng(61)
    weights = {**layers(r, (2, 6, 5)), **ends(r, 6)}
    for i in range(3):
        weights.update(some_block(r, i, 6, 3, 5))
    yield (
        "conditional",
        {"activation1": "PReLU", "activation2": "PReLU", "discretisation": "zoh", "final_tanh": "tanh"},
        [LIMIT, PEAK],
        weights,
        1005,
        [
            [300, "peak_reduction", 90.0, 0.0],
            [613, "limit", 1.0, 0.0],
            [900, "peak_reduction", 10.0, 20.0],
            [1200, "peak_reduction", 70.0, 4.0],
            [1700, "limit", 0.0, 0.0],
            [1800, "peak_reduction", 0.0, 0.1],
        ],
    )
    r = np.random.default_rng(62)
    weights = {
        **ends(r, 18),
        **some_block(r, 0, 18, 2, 1, norm=False, factors=(0, 0), b=True),
        **some_block(r, 1, 18, 2, 1, residual=False, factors=(0, 0), b=True, untied=True),
    }
    weights["expand.weight"] *= 0.03  # decibels are large
    yield (
        "side-chain",
        {
            "activation1": "GELU",
            "activation2": "sigmoid",
            "discretisation": "bilinear",
            "product": True,
            "front_decibels": True,
            "tanh_before_product": "tanh",
            "final_tanh": "none",
        },
        [DRIVE],
        weights,
        0,
        [[160, "drive", -6.0, 0.0], [500, "drive", 12.0, 4.0], [1007, "drive", 0.0, 20.0]],
    )
    r = np.random.default_rng(63)
    weights = {
        **ends(r, 5),
        **some_block(r, 0, 5, 7, linear=False, norm=False, residual=False, factors=(0, 5)),
        **some_block(r, 1, 5, 6, norm=False, factors=(0, 5)),
        "tanh.factor": np.array([0.7]),
    }
    weights["contract.weight"] *= 10.0  # into decibels
    weights["contract.bias"] -= 12.0
    yield (
        "fixed",
        {"activation1": "ReLU", "activation2": "PReLU", "to_amplitude": True, "final_tanh": "ptanh"},
        [],
        weights,
        0,
        [],
    )
    r = np.random.default_rng(64)
    weights = {
        **ends(r, 7),
        **some_block(r, 0, 7, 1, factors=(0, 1)),
        **some_block(r, 1, 7, 4, factors=(0, 1)),
        "tanh.factor": np.array([1.3]),
    }
    yield (
        "fixed-gain",
        {
            "activation1": "tanh",
            "activation2": "PTanh",
            "product": True,
            "tanh_before_product": "ptanh",
            "final_tanh": "tanh",
        },
        [],
        weights,
        3,
        [],
    )


if __name__ == "__main__":
    x = test_input(FRAMES, RATE)
    save_input("s4d", x)
    for name, config, controls, weights, start, moves in fixtures():
        stored = as_stored(weights)
        expected = play(stored, config, controls, start, moves, x.astype(np.float64))
        depth = sum(1 for tensor in stored if tensor.endswith("ssm.d"))
        forgets_s = seconds_to_forget(stored, depth, config.get("discretisation", "zoh"), RATE)
        save(
            "s4d",
            name,
            stored,
            expected,
            start,
            moves,
            of_random_weights(
                "s4d",
                config,
                RATE,
                controls,
                memory_samples=min(forgets_s, LONGEST_MEMORY_S) * RATE,
            ),
        )
        print(
            f"{name}: memory {forgets_s:.2f} s, peak {np.abs(expected).max():.2f}, deviation {expected.std():.3f}"
        )
