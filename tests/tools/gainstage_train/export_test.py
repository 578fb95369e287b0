#!/usr/bin/python3
"""A trained model's file, rendered by the runtime, is what the training code plays: every family, also after
a knob has moved."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import support

support.need("numpy", "torch", "scipy", "soundfile", "numba")
if not os.path.exists(support.GAINSTAGE):
    print(f"skipped: there is no {support.GAINSTAGE} (GAINSTAGE_BINARY says where else)")
    sys.exit(0)

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import torch  # noqa: E402

from gainstage_files import model_file  # noqa: E402
from gainstage_train.export import export, quickly  # noqa: E402
from gainstage_train.models import build  # noqa: E402
from gainstage_train.models.model import detach  # noqa: E402

torch.set_num_threads(1)

RATE, SILENCE, MOVE, FRAMES = 48000, 2400, 7200, 12000  # the engine fades in over the silence
CONTROLS = [
    model_file.control("peak_reduction", "", 0.0, 100.0, 70.0, 0.01),
    {**model_file.control("limit", "", 0.0, 1.0, 0.0), "steps": 2},
]

# Largest difference over what is played at about full scale, measured: 6e-8 to 6e-7, 4e-6 of ED-LSTM, whose
# output layer starts at 40 times what the units hold. S4D: 2e-5, since the runtime keeps the states in floats
# where what that costs is below 4e-6 of a layer, and layers and norms follow that make it larger.
TOLERANCE, S4D_TOLERANCE = 5e-6, 1e-4

CASES = [
    ("grey_box", {}),
    ("grey_box", {"knee": "hard", "detector": "one_pole", "makeup": "static", "activation": "relu"}),
    ("grey_box", {"detector": "switching", "makeup": "gru", "makeup_units": 4}),
    ("grey_box", {"detector": "gru", "makeup": "rnn"}),
    ("s4d", {}),
    (
        "s4d",
        {
            "product": False,
            "final_tanh": "tanh",
            "activation": "PTanh",
            "channels": 6,
            "modes": 3,
            "blocks": 2,
        },
    ),
    ("s4d", {"activation": "GELU", "channels": 5, "blocks": 1}),
    ("s4d", {"decibels": True, "channels": 5, "blocks": 2}),
    ("s6", {}),
    ("s6", {"features": 2, "activation": "tanh"}),
    ("ed_lstm", {}),
    ("ed_lstm", {"window": 8, "units": 10, "dense": 7}),
    ("ed_lstm_carried", {}),
    ("tcn", {"blocks": 3}),
    (
        "tcn",
        {"blocks": 2, "kernel": 3, "growth": 4, "channels": 5, "final_tanh": "tanh", "residual_delay": 1},
    ),
    ("lstm", {}),
    ("lstm", {"units": 7, "skip": 1, "final_tanh": "tanh"}),
    ("gru", {"units": 8}),
    ("gru", {}),
]

PATCH = """format = 1
name = "parity"
links = ["in -> model -> out"]
[nodes.in]
type = "input"
channels = [1]
[nodes.model]
type = "{type}"
start = "zero"
model = "m.safetensors"
[nodes.out]
type = "output"
channels = [1]
guard = "off"
"""


def sound():
    """Silence, then noise of several levels."""
    levels = np.repeat([0.02, 0.4, 0.05, 0.2], (FRAMES - SILENCE) // 4)
    noise = np.random.default_rng(1).standard_normal(FRAMES - SILENCE) * levels
    return np.concatenate([np.zeros(SILENCE), noise.clip(-1.0, 1.0)]).astype(np.float32)


def shaken(name, options):
    """A model whose every weight is a little off its start, so that none is 0 or 1 by chance."""
    torch.manual_seed(3)
    model = build(name, CONTROLS, RATE, **options)
    model.train()
    with torch.no_grad():
        model(torch.randn(2, 24000) * 0.2, torch.rand(2, 2))  # norms are measured
        for p in model.parameters():
            p += 0.03 * torch.randn_like(p)
    return model.eval()


def played(model, x):
    """By the training code: the first knobs, then, from MOVE on, the other limit."""
    x = torch.from_numpy(x)[None]
    with torch.no_grad():
        first, state = model(x[:, :MOVE], model.conditioning({})[None])
        second, _ = model(x[:, MOVE:], model.conditioning({"limit": 1.0})[None], detach(state))
    return torch.cat([first, second], dim=1)[0].numpy()


def rendered(folder, model, x):
    export(model, os.path.join(folder, "m.safetensors"), 0.1, license="CC0-1.0", source="a test")
    files = {
        "patch.toml": PATCH.format(type=model.architecture),
        "moves.csv": f"{MOVE / RATE},model.limit,1\n",
    }
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    soundfile.write(os.path.join(folder, "in.wav"), x, RATE, subtype="FLOAT")
    subprocess.run(
        [
            support.GAINSTAGE,
            "render",
            "-q",
            "patch.toml",
            "in.wav",
            "-o",
            "out.wav",
            "--automate",
            "moves.csv",
        ],
        cwd=folder,
        check=True,
    )
    return soundfile.read(os.path.join(folder, "out.wav"), dtype="float32")[0]


class Export(unittest.TestCase):
    def test_rendered_is_what_the_training_code_plays(self):
        x = sound()
        for name, options in CASES:
            with self.subTest(name, **options), tempfile.TemporaryDirectory() as folder:
                model = shaken(name, options)
                out, expected = rendered(folder, model, x), played(model, x)
                self.assertEqual(len(out), len(expected))
                error = float(np.abs(out - expected)[SILENCE:].max())
                peak = float(np.abs(expected).max())
                moved = float(np.abs(np.diff(expected[[MOVE - 1, MOVE]])))
                print(f"{name} {options}: {error:.1e} of {peak:.2f}")
                self.assertTrue(peak > 0.01 and np.isfinite(moved))
                self.assertLess(error, (S4D_TOLERANCE if name == "s4d" else TOLERANCE) * max(1.0, peak))
                self.info_agrees(folder, model)

    def info_agrees(self, folder, model):
        """Operations per sample as the runtime counts them, latency and memory as the model says."""
        said = subprocess.run(
            [support.GAINSTAGE, "info", "m.safetensors"],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        counted = float(re.search(r"operations\s+([\d.]+) per sample", said)[1])
        self.assertLessEqual(abs(counted - model.operations()), 0.5)
        self.assertEqual(int(re.search(r"latency\s+(\d+) samples", said)[1]), model.latency_samples)

    def test_the_file_says_what_the_model_is(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "m.safetensors")
            model = shaken("tcn", {"blocks": 2})
            quickly(model, path, license="CC0-1.0", training={"epochs": 3})
            with open(path, "rb") as file:
                keys = json.loads(file.read(int.from_bytes(file.read(8), "little")))["__metadata__"]
            self.assertEqual(keys["memory_samples"], str(model.receptive_field))
            self.assertEqual(json.loads(keys["controls"]), CONTROLS)
            self.assertEqual(json.loads(keys["training"]), {"epochs": 3})
            quickly(shaken("gru", {"units": 3}), path)  # whose memory would take long to measure
            with open(path, "rb") as file:
                keys = json.loads(file.read(int.from_bytes(file.read(8), "little")))["__metadata__"]
            self.assertEqual(int(keys["memory_samples"]), 10 * RATE)

    def test_a_weight_that_is_no_number_is_refused_and_the_old_file_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "m.safetensors")
            model = shaken("gru", {"units": 3})
            quickly(model, path)
            with open(path, "rb") as file:
                before = file.read()
            with torch.no_grad():
                model.out.bias.fill_(float("nan"))
            with self.assertRaisesRegex(model_file.Problem, "output.bias"):
                quickly(model, path)
            with open(path, "rb") as file:
                self.assertEqual(file.read(), before)
            self.assertEqual(os.listdir(folder), ["m.safetensors"])


class Names(unittest.TestCase):
    def test_the_trainer_and_the_runtime_say_the_same_of_every_name_of_a_knob(self):
        """grey_box has an option of its own (link): its names are the most that any node refuses."""
        names = [
            "gain",
            "a",
            "a2",
            "a_",
            "x" * 64,
            "x" * 65,
            "Gain",
            "gain db",
            "2nd",
            "_gain",
            "",
            "g\u00e4in",
            "gain-db",
            "gain.db",
            "gain\n",
            *model_file.RESERVED_NAMES,
            "link2",
            "threshold",
            "width",
            "mode",
        ]
        model = build("grey_box", [model_file.control("gain", "", 0.0, 1.0, 0.0)], RATE)
        with tempfile.TemporaryDirectory() as folder:
            for name in names:
                path = os.path.join(folder, "model.safetensors")
                keys = model_file.metadata("grey_box", model.config(), RATE, [])
                keys["controls"] = json.dumps([model_file.control(name, "", 0.0, 1.0, 0.0)])
                model_file.write(path, model.tensors(), keys)
                patch = os.path.join(folder, "p.toml")
                with open(patch, "w", encoding="utf-8") as file:
                    file.write(PATCH_OF_ONE)
                done = subprocess.run(
                    [support.GAINSTAGE, "check", patch],
                    text=True,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
                with self.subTest(name=name, said=done.stderr):
                    self.assertEqual(done.returncode, 0 if model_file.name_fault(name) is None else 65)
                    if done.returncode:
                        self.assertRegex(done.stderr, 'name "|name of another setting')
                self.assertIsNone(model_file.name_fault(model_file.usable_name(name)))


PATCH_OF_ONE = """format = 1
links = ["in -> model -> out"]
[nodes]
in = { type = "input", channels = [1] }
model = { type = "grey_box", model = "model.safetensors" }
out = { type = "output", channels = [1] }
"""


if __name__ == "__main__":
    unittest.main()
