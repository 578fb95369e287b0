#!/usr/bin/python3
"""Renders the shipped models with the training code, for tests/nodes/models/shipped_models_test.cpp: every
model in models/ that tools/gainstage_train trained plays an eighth of a second of a drum loop, soft and then
loud, with a knob that steps.

    shipped-input.f32            48 kHz, mono, 32-bit floats, little-endian
    shipped-NAME.expected.f32    the training code's output; its latency is not in it
    shipped-moves.json           [[frame, knob, value]]: steps of the first control, which every shipped model
    has

Run with tools/ on PYTHONPATH. Needs what training needs, and Debian's sonic-pi-samples (the loop is CC0)."""

import glob
import json
import os

import numpy as np
import torch
from gainstage_train.data import recordings
from gainstage_train.saved_model import from_file, read

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")

SAMPLES, LOUD_FROM = 6000, 1500
STEPS = [
    [0, "peak_reduction", 30.0],
    [2016, "peak_reduction", 75.0],
    [4000, "peak_reduction", 5.0],
]  # on windows of 16 samples


def clip():
    x = recordings.Library(48000.0, recordings.FOLDER)("loop_amen")[:SAMPLES].astype(np.float32)
    x *= 0.9 / np.abs(x).max()
    x[:LOUD_FROM] *= 0.05
    return x


def played(model, x):
    out, state = [], None
    ends = [step[0] for step in STEPS[1:]] + [len(x)]
    for (begin, knob, value), end in zip(STEPS, ends):
        knobs = torch.as_tensor(model.conditioning({knob: value}), dtype=torch.float32).reshape(1, -1)
        with torch.no_grad():
            y, state = model(torch.from_numpy(x[None, begin:end]), knobs, state)
        out.append(y[0].numpy())
    return np.concatenate(out)


def main():
    x = clip()
    x.astype("<f4").tofile(os.path.join(HERE, "shipped-input.f32"))
    with open(os.path.join(HERE, "shipped-moves.json"), "w", encoding="utf-8") as file:
        file.write(json.dumps(STEPS) + "\n")
    for path in sorted(glob.glob(os.path.join(ROOT, "models", "*.safetensors"))):
        if "model" not in json.loads(read(path)[0].get("training", "{}")):
            continue  # set by hand
        name = os.path.splitext(os.path.basename(path))[0]
        played(from_file(path), x).astype("<f4").tofile(os.path.join(HERE, f"shipped-{name}.expected.f32"))


if __name__ == "__main__":
    main()
