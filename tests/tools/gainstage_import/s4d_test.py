#!/usr/bin/python3
"""The importer of S4D, and the reader of PyTorch's archives: what they make of checkpoints in the published
layouts, and what they refuse."""

import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

from importing import np, torch
from support import TOOLS

import torch_files
from gainstage_import import checkpoint, s4d, torch_archive, torch_tensors
from gainstage_files.problem import Problem
from gainstage_import.take import Take

CHANNELS, MODES, DEPTH = 6, 3, 2
DEFAULTS = {key: choices[0] for key, choices in s4d.CONFIG.items()}
random = np.random.default_rng(1)


# -------------------------------------------------------------------------------- published layouts


def layer(prefix, outputs, inputs):
    return {
        prefix + ".weight": random.normal(size=(outputs, inputs)),
        prefix + ".bias": random.normal(size=outputs),
    }


def dssm(prefix):
    return {
        prefix + "log_dt": random.uniform(-7.0, -2.3, CHANNELS),
        prefix + "log_A_real": np.log(np.full((CHANNELS, MODES), 0.5)),
        prefix + "A_imag": np.pi * np.arange(MODES) * np.ones((CHANNELS, 1)),
        prefix + "C": random.normal(size=(CHANNELS, MODES, 2)),
        prefix + "D": random.normal(size=CHANNELS),
    }


def vendored(prefix):
    """The layer of state-spaces/s4."""
    own, kernel = dssm(""), prefix + "kernel."
    return {
        kernel + "inv_dt": own["log_dt"][:, None],
        kernel + "A_real": own["log_A_real"],
        kernel + "A_imag": own["A_imag"],
        kernel + "B": random.normal(size=(1, CHANNELS, MODES, 2)),
        kernel + "C": own["C"][None],
        prefix + "D": own["D"][None],
    }


def conditional(ssm=dssm, norm="film.batchnorm"):
    out = {
        **layer("control_parameter_mlp.0", 4, 2),
        **layer("control_parameter_mlp.2", 5, 4),
        **layer("expand", CHANNELS, 1),
        **layer("contract", 1, CHANNELS),
    }
    for i in range(DEPTH):
        p = f"blocks.{i}."
        out.update(
            {
                **layer(p + "linear", CHANNELS, CHANNELS),
                **ssm(p + "s4."),
                p + "activation1.weight": np.array([0.25]),
                p + "activation2.weight": np.array([0.25]),
                f"{p}{norm}.running_mean": np.zeros(CHANNELS),
                f"{p}{norm}.running_var": np.ones(CHANNELS),
                f"{p}{norm}.num_batches_tracked": np.array(3.0),
                **layer(p + "film.conditional_information_adaptor", 2 * CHANNELS, 5),
                p + "residual_connection.weight": np.ones((CHANNELS, 1, 1)),
            }
        )
    return out


def fixed(version, decibels=False, learned=False):
    """The thesis' model of one setting: a sequence of modules by number."""
    first = 2 if decibels else 1
    out = layer(f"model.{first}", CHANNELS, 1)
    for i in range(DEPTH):
        p = f"model.{first + 1 + i}."
        at = s4d.FIXED_LAYERS[version]
        if "linear" in at:
            out.update(layer(f"{p}model.{at['linear']}", CHANNELS, CHANNELS))
        out.update(dssm(f"{p}model.{at['s4']}."))
        for name in ("activation1", "activation2"):
            if learned and name in at:
                out[f"{p}model.{at[name]}.weight"] = np.array([0.25])
        out[p + "residual_connection.1.weight"] = np.full((CHANNELS, 1, 1), 0.5)
    return {**out, **layer(f"model.{first + 1 + DEPTH}", 1, CHANNELS)}


def convert(tensors, **config):
    take = Take(tensors)
    controls = s4d.CONTROLS(take)
    return (*s4d.convert(take, controls, {**DEFAULTS, **config}, 44100), take.left)


# -------------------------------------------------------------------------------- S4D


class Converted(unittest.TestCase):
    def test_the_thesis_layout_becomes_ours(self):
        checkpoint_tensors = {**conditional(), "loss.window": np.zeros(4), "stranger": np.zeros(2)}
        tensors, config, forgets_s, inferred, left = convert(checkpoint_tensors)
        self.assertEqual(left, {"stranger"})
        self.assertEqual(inferred["activation"], "PReLU")
        self.assertEqual(
            config,
            {
                "activation1": "PReLU",
                "activation2": "PReLU",
                "discretisation": "zoh",
                "final_tanh": "tanh",
                "tanh_before_product": "none",
                "product": False,
                "front_decibels": False,
                "to_amplitude": False,
            },
        )
        self.assertEqual(
            sum(t.size for t in tensors.values()),
            sum(t.size for n, t in checkpoint_tensors.items() if n not in left and "batches" not in n) - 4,
        )
        np.testing.assert_array_equal(
            tensors["blocks.1.ssm.a_imag"], checkpoint_tensors["blocks.1.s4.A_imag"]
        )
        self.assertEqual(tensors["blocks.0.ssm.log_dt"].shape, (CHANNELS, 1))
        self.assertEqual(tensors["blocks.0.residual"].shape, (CHANNELS,))
        self.assertTrue(0.01 < forgets_s < 10.0, forgets_s)

    def test_both_places_of_the_norm_are_known_and_it_may_be_absent(self):
        self.assertIn("blocks.1.norm.mean", convert(conditional(norm="batchnorm"))[0])
        without = {n: t for n, t in conditional().items() if "batchnorm" not in n and "residual" not in n}
        tensors = convert(without)[0]
        self.assertFalse([n for n in tensors if "norm" in n or "residual" in n])

    def test_signs_and_names_of_the_vendored_layer(self):
        layers = conditional(vendored)
        tensors = convert(layers)[0]
        np.testing.assert_array_equal(tensors["blocks.0.ssm.a_imag"], -layers["blocks.0.s4.kernel.A_imag"])
        self.assertEqual(tensors["blocks.0.ssm.b"].shape, (CHANNELS, MODES, 2))
        renamed = {
            n.replace("inv_dt", "log_dt").replace("A_real", "log_A_real"): t for n, t in layers.items()
        }
        for name, tensor in convert(renamed)[0].items():
            np.testing.assert_array_equal(tensor, tensors[name])
        older = {
            n: t[0] if n.endswith("kernel.B") else t for n, t in renamed.items()
        }  # its third release kept Im A itself
        np.testing.assert_array_equal(
            convert(older)[0]["blocks.0.ssm.a_imag"], layers["blocks.0.s4.kernel.A_imag"]
        )
        shared = {n: t[:, :2] if n.endswith("B") else t[:2] if "A_" in n else t for n, t in layers.items()}
        tied = convert(shared)[0]["blocks.0.ssm.a_imag"]
        np.testing.assert_array_equal(tied[0], tied[2])
        self.assertEqual(tied.shape, (CHANNELS, MODES))

    def test_fixed_parameter_models_have_no_controls_and_tell_their_version(self):
        for version in (1, 2, 3, 4):
            for decibels in (False, True):
                tensors, config, _, inferred, left = convert(fixed(version, decibels, learned=True))
                self.assertEqual(left, set())
                self.assertEqual("blocks.1.linear.weight" in tensors, version != 1)
                kinds = tuple(
                    "PReLU" if f"activation{k}" in s4d.FIXED_LAYERS[version] else "Identity" for k in (1, 2)
                )
                self.assertEqual((config["activation1"], config["activation2"]), kinds)
                self.assertEqual((config["front_decibels"], config["to_amplitude"]), (decibels, decibels))
                self.assertEqual(tensors["contract.weight"].shape, (1, CHANNELS))
        self.assertEqual(convert(fixed(4), activation="GELU")[1]["activation2"], "GELU")
        self.assertEqual(convert(fixed(2), activation="GELU", model_version=2)[1]["activation2"], "Identity")

    def test_what_the_tensors_say_of_tanh_and_activations(self):
        learned = {**conditional(), "tanh.a": np.array(0.8)}
        tensors, config, *_ = convert(learned)
        self.assertEqual((config["final_tanh"], tensors["tanh.factor"].tolist()), ("ptanh", [0.8]))
        config = convert(learned, tanh_before_product="ptanh", product=True, final_tanh="none")[1]
        self.assertEqual((config["tanh_before_product"], config["final_tanh"]), ("ptanh", "none"))
        plain = {n: t for n, t in conditional().items() if "activation" not in n}
        self.assertEqual(convert(plain, activation="sigmoid")[1]["activation1"], "sigmoid")
        for bad, config in ((plain, {}), (conditional(), {"final_tanh": "ptanh"})):
            with self.assertRaises(Problem) as refusal:
                convert(bad, **config)
            self.assertIn("--config", str(refusal.exception))

    def test_what_is_missing_misshapen_or_not_finite_is_refused_by_name(self):
        for good in (conditional(), conditional(vendored), fixed(4, learned=True)):
            for name in good:
                if any(
                    part in name
                    for part in (
                        "batches",
                        "residual",
                        "activation",
                        "norm",
                        "model.2.model.1",
                        "model.2.model.5",
                        "model.3.model.1",
                        "model.3.model.5",
                    )
                ):
                    continue
                missing = {n: t for n, t in good.items() if n != name}
                if not name.endswith("kernel.B"):  # which may be left out
                    with self.assertRaises(Problem) as refusal:
                        convert(missing)
                    self.assertIn("tensor", str(refusal.exception))
                for spoilt in (np.zeros((7, 3, 2, 2)), np.full(good[name].shape, np.nan)):
                    with self.assertRaises(Problem) as refusal:
                        convert({**good, name: spoilt})
                    self.assertIn("tensor", str(refusal.exception))
        with self.assertRaises(Problem) as refusal:
            convert({**conditional(), "blocks.1.s4.D": np.zeros(5)})
        self.assertIn("tensor blocks.1.s4.D: has shape (5,); expected (6)", str(refusal.exception))
        three = {**conditional(), "control_parameter_mlp.0.weight": np.zeros((4, 3))}
        with self.assertRaises(Problem) as refusal:
            convert(three)
        self.assertIn("for 2 controls: name as many as it has with --config", str(refusal.exception))

    def test_memory_is_the_time_to_minus_80_db(self):
        """One channel, one real pole: what is left of a step is e^-t of its channel's deviation, in time
        constants."""
        ssm = {
            "log_dt": np.log([[0.01]]),
            "log_a_real": np.log([[0.5]]),
            "a_imag": np.zeros((1, 1)),
            "d": np.zeros(1),
            "c": np.array([[[0.25, 0.0]]]),
        }
        for method in ("zoh", "bilinear"):
            self.assertAlmostEqual(
                s4d.samples_to_forget(ssm, method, np.ones(1)), np.log(1e4) / 0.005, delta=1.0
            )
        self.assertAlmostEqual(s4d.samples_to_forget(ssm, "zoh", np.full(1, 1e4)), 0.0)


# -------------------------------------------------------------------------------- files


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)


@unittest.skipUnless(torch, "PyTorch is not installed")
class Archive(Folder):
    """What the PyTorch that is here writes."""

    def save(self, content, name="m.ckpt"):
        torch.save(content, self.path(name))
        return self.path(name)

    def test_it_reads_what_torch_wrote(self):
        whole = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
        saved = {
            "whole": whole,
            "part": whole[:, 1],
            "turned": whole.transpose(0, 2),
            "parameter": torch.nn.Parameter(whole[0]),
            "empty": torch.zeros(0, 3),
            "number": torch.tensor(7),
            "half": whole.half(),
            "short": whole.bfloat16(),
            "long": whole.long(),
            "double": whole.double(),
            "flag": whole > 3,
            "complex": torch.complex(whole, -whole),
        }
        with open(self.save(saved), "rb") as file:
            read = torch_archive.load(file.read())
        for name, tensor in saved.items():
            np.testing.assert_array_equal(
                read[name], tensor.detach().float().numpy() if name == "short" else tensor.detach().numpy()
            )

    def test_lightning_checkpoints_may_hold_anything(self):
        class Settings(dict):
            pass

        class Path:
            def __reduce__(self):
                return os.path.join, ("a", "b")

        sys.modules["elsewhere"] = type(sys)("elsewhere")
        path = self.save(
            {
                "state_dict": {"model.expand.weight": torch.zeros(3, 1)},
                "epoch": 3,
                "lr": [1e-3],
                "folder": Path(),
                "hyper_parameters": {
                    "take_side_chain": True,
                    "final_tanh": "none",
                    "learning_rate": 1e-3,
                    "activation": "GELU",
                    "side_chain_tanh": True,
                    "folder": Path(),
                },
            }
        )
        tensors, said = s4d.load(path)
        self.assertEqual(list(tensors), ["expand.weight"])
        self.assertEqual(
            said, {"product": True, "final_tanh": "none", "activation": "GELU", "tanh_before_product": True}
        )

    def test_nothing_in_it_is_run(self):
        marker = self.path("was-run")

        class Trap:
            def __reduce__(self):
                return os.mkdir, (marker,)

        for content in (Trap(), {"state_dict": Trap()}, torch.nn.Linear(2, 2)):
            with self.assertRaises(Problem) as refusal:
                checkpoint.load(self.save(content), ("expand.",))
            self.assertIn("holds more than tensors", str(refusal.exception))
        checkpoint.load(self.save({"state_dict": {"w": torch.zeros(1)}, "other": Trap()}), ("expand.",))
        self.assertFalse(os.path.exists(marker))
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), self.path("program.pt"))
        with self.assertRaises(Problem) as refusal:
            checkpoint.load(self.path("program.pt"), ("expand.",))
        self.assertIn("TorchScript", str(refusal.exception))

    def test_damaged_archives_are_refused(self):
        good = self.save({"w": torch.arange(4.0)})
        with open(good, "rb") as file:
            content = file.read()
        for length in range(0, len(content), 97):
            with open(self.path("cut.pt"), "wb") as file:
                file.write(content[:length])
            with self.assertRaises(Problem):
                checkpoint.load(self.path("cut.pt"), ())
        with zipfile.ZipFile(good) as archive:
            members = {n: archive.read(n) for n in archive.namelist()}
        storage = next(n for n in members if n.endswith("data/0"))
        for spoilt, compression in (
            (members[storage][:8], zipfile.ZIP_STORED),
            (members[storage], zipfile.ZIP_DEFLATED),
        ):
            with zipfile.ZipFile(self.path("spoilt.pt"), "w", compression) as archive:
                for name, data in {**members, storage: spoilt}.items():
                    archive.writestr(name, data)
            with self.assertRaises(Problem) as refusal:
                checkpoint.load(self.path("spoilt.pt"), ())
            self.assertIn("holds no plain tensors", str(refusal.exception))


class Checkpoint(Folder):
    def test_tensors_stay_within_their_numbers(self):
        for offset, size, stride in (
            (0, (5,), (1,)),
            (3, (2,), (1,)),
            (-1, (1,), (1,)),
            (0, (2,), (-1,)),
            (0, (1 << 40,), (0,)),
            (0, (2, 2), (1,)),
            (0, (2.0,), (1,)),
            (0, (2,), (1 << 62,)),
        ):
            with self.assertRaises(torch_archive.Damaged):
                torch_tensors.make_tensor((torch_tensors.Storage("Float", "0", 4), offset, size, stride))

    def test_a_checkpoint_becomes_a_model_file(self):
        tensors = {"model." + n: t.astype("f4") for n, t in conditional(norm="batchnorm").items()}
        content = {
            "state_dict": {**tensors, "training_criterion.fir": np.zeros(3, "f4")},
            "hyper_parameters": {"take_side_chain": True, "final_tanh": "none", "learning_rate": 1e-3},
        }
        path = torch_files.write(self.path("m.ckpt"), torch_files.archive_of(content))
        done = subprocess.run(
            [
                sys.executable,
                "-B",
                os.path.join(TOOLS, "import_model"),
                "s4d",
                path,
                "-o",
                self.path("m.safetensors"),
            ],
            text=True,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("product: True, as the checkpoint says", done.stderr)
        self.assertNotIn("left out", done.stderr)
        with open(self.path("m.safetensors"), "rb") as file:
            content = file.read()
        keys = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])["__metadata__"]
        self.assertEqual(
            [(c["name"], c["to_model"]["scale"]) for c in json.loads(keys["controls"])],
            [("limit", 1.0), ("peak_reduction", 1.0)],
        )
        self.assertTrue(json.loads(keys["config"])["product"])
        self.assertGreater(int(keys["memory_samples"]), 441)


if __name__ == "__main__":
    if torch is None:
        print(
            "skipped: reading PyTorch's archives is tested with PyTorch (Debian: apt install python3-torch)"
        )
    unittest.main()
