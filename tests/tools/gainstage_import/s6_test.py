#!/usr/bin/python3
"""The importers of S6 and ED-LSTM: checkpoints in the published layouts, TensorFlow's and Keras's files, and
what is refused."""

import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

from importing import h5py, np
from support import TOOLS

from gainstage_import import ed_lstm, s6, s6_memory, tf_bundle
from gainstage_files.problem import Problem
from gainstage_import.take import Take
from tf_files import SUFFIX, field, write_bundle

s6_memory.PROBE_S = s6_memory.BEFORE_S = 0.02  # the numbers don't matter here
LAYER = "layer_with_weights-"


# -------------------------------------------------------------------------------- networks


def mixer(random, inputs, outputs, inner=6, states=5, rank=2):
    return {
        "in_projection/kernel": random.normal(size=(inputs, 2 * inner)),
        "conv1d/kernel": random.normal(size=(4, 1, inner)),
        "conv1d/bias": np.zeros(inner),
        "x_projection/kernel": random.normal(size=(inner, rank + 2 * states)),
        "delta_t_projection/kernel": random.normal(size=(rank, inner)),
        "delta_t_projection/bias": np.full(inner, -4.0),
        "A_log": np.log(np.arange(1.0, states + 1) * np.ones((inner, 1))),
        "D": np.ones(inner),
        "out_projection/kernel": random.normal(size=(inner, outputs)),
        "out_projection/bias": np.zeros(outputs),
    }


def s6_checkpoint(first=2, second=2):
    """As the authors' code names it; no number in it matters."""
    random = np.random.default_rng(1)
    out = {
        "5/dense/cell/kernel": random.normal(size=(second + 2, 12)),
        "5/dense/cell/bias": random.normal(size=(2, 12)),
        "5/dense/cell/recurrent_kernel": random.normal(size=(4, 12)),
        "2/kernel": 0.1 * random.normal(size=(40, 1, 2)),
        "2/bias": np.zeros(2),
    }
    for name, inputs, outputs in (
        ("0", 16, 2),
        ("3", 3, 2),
        ("4/dense", first + 2, 4),
        ("4/glu/dense", 2, 4),
        ("5/glu/dense", 2, 4),
        ("7", 2, 2),
        ("8", 2, 1),
    ):
        out[name + "/kernel"], out[name + "/bias"] = random.normal(size=(inputs, outputs)), random.normal(
            size=outputs
        )
    for number, outputs in (("1", 3), ("6", 2)):
        out.update({f"{number}/mixer/{name}": value for name, value in mixer(random, 2, outputs).items()})
    return {LAYER + name: value for name, value in out.items()}


def ed_lstm_checkpoint(window=8, units=6, controls=4):
    random = np.random.default_rng(2)
    out = {
        "LSTM_De/lstm_cell/kernel": (1, 4 * units),
        "LSTM_De/lstm_cell/recurrent_kernel": (units, 4 * units),
        "LSTM_De/lstm_cell/bias": (4 * units,),
        "DenseLay/kernel": (units, units),
        "DenseLay/bias": (units,),
        "OutLay/kernel": (units, window),
        "OutLay/bias": (window,),
    }
    for name in "hc":
        out.update(
            {
                f"Conv_{name}/kernel": (window, 1, units),
                f"Conv_{name}/bias": (units,),
                f"Dense_cond_{name}/kernel": (controls, units),
                f"Dense_cond_{name}/bias": (units,),
            }
        )
    return {name: random.normal(size=shape) for name, shape in out.items()}


def as_json(tensors):
    return {
        "note": "words",
        **{
            name: {"shape": list(value.shape), "data": value.ravel().tolist()}
            for name, value in tensors.items()
        },
    }


def convert(family, tensors, **config):
    take = Take(tensors)
    known = {key: config.get(key, choices[0]) for key, choices in family.CONFIG.items()}
    return (*family.convert(take, family.CONTROLS(take), known, 48000)[:4], take.left)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = lambda name: os.path.join(folder.name, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else json.dumps(content).encode())
        return self.path(name)

    def refused(self, call, *parts):
        with self.assertRaises(Problem) as refusal:
            call()
        for part in parts:
            self.assertIn(part, str(refusal.exception))

    def run_it(self, *arguments):
        return subprocess.run(
            [sys.executable, "-B", os.path.join(TOOLS, "import_model"), *arguments],
            text=True,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def read(self, name):
        with open(self.path(name), "rb") as file:
            content = file.read()
        (length,) = struct.unpack("<Q", content[:8])
        return json.loads(content[8 : 8 + length])


class Bundle(Case):
    def test_tensors_come_back_by_name_optimizer_and_counters_do_not(self):
        for dtype in ("<f4", "<f8"):
            write_bundle(self.path("best.ckpt"), s6_checkpoint(), dtype)
            for path in ("best.ckpt", "best.ckpt.index", "best.ckpt" + tf_bundle.DATA):
                tensors = tf_bundle.load(self.path(path))
                self.assertEqual(tensors.keys(), s6_checkpoint().keys())
                for name, value in s6_checkpoint().items():
                    np.testing.assert_array_equal(tensors[name], value.astype(dtype))

    def test_every_truncation_and_every_spoilt_byte_is_refused_or_read_but_never_worse(self):
        write_bundle(self.path("m"), {"a": np.arange(3.0), "b": np.ones((2, 2))})
        with open(self.path("m.index"), "rb") as file:
            index = file.read()
        for length in range(len(index)):
            self.write("m.index", index[:length])
            self.refused(
                lambda: tf_bundle.load(self.path("m")), "m.index: is no TensorFlow checkpoint, or is damaged"
            )
        for place in range(len(index)):
            for value in (0, 127, 255):
                self.write("m.index", index[:place] + bytes([value]) + index[place + 1 :])
                try:
                    tf_bundle.load(self.path("m"))
                except Problem:
                    pass

    def test_lies_about_sizes_are_refused_by_tensor(self):
        for lie in (field(5, 1 << 60), field(5, 8), field(4, 1 << 40), field(2, field(2, field(1, 1 << 62)))):

            def change(entries, lie=lie):
                honest = tf_bundle.fields(entries["a" + SUFFIX])
                entries["a" + SUFFIX] = lie + b"".join(
                    field(n, honest[n][0]) for n in (1, 2, 4, 5) if n != lie[0] >> 3
                )

            write_bundle(self.path("m"), {"a": np.arange(3.0)}, change=change)
            self.refused(lambda: tf_bundle.load(self.path("m")), "tensor a", "don't agree")
        write_bundle(self.path("m"), {"a": np.arange(3.0)})
        self.write("m" + tf_bundle.DATA, struct.pack("<3f", 0.0, 1.0, 3.0))
        self.refused(lambda: tf_bundle.load(self.path("m")), "tensor a", "checksum")
        self.write("m" + tf_bundle.DATA, bytes(4))
        self.refused(lambda: tf_bundle.load(self.path("m")), "tensor a")
        os.unlink(self.path("m" + tf_bundle.DATA))
        with self.assertRaises(Problem) as refusal:
            tf_bundle.load(self.path("m"))
        self.assertEqual(refusal.exception.exit_code, 66)


class S6(Case):
    def test_shapes_tell_sizes_and_controls(self):
        tensors, config, forgets_s, inferred, left = convert(s6, s6_checkpoint())
        self.assertEqual((inferred["inner channels"], inferred["states"], inferred["window"]), (6, 5, 16))
        self.assertEqual(
            (config["meaning"], config["product"], config["activation"]), ("recurrent", True, "gelu")
        )
        self.assertEqual(left, set())
        self.assertTrue(0.0 < forgets_s <= 10.0)
        kernel = s6_checkpoint()[LAYER + "1/mixer/conv1d/kernel"]
        np.testing.assert_array_equal(tensors["ssm.0.conv.weight"], kernel[:, 0, :].T)
        # Keras: z, r, h in columns; ours: r, z, n in rows
        kernel = s6_checkpoint()[LAYER + "5/dense/cell/kernel"]
        np.testing.assert_array_equal(
            tensors["temporal.weight_ih"], np.hstack([kernel[:, 4:8], kernel[:, :4], kernel[:, 8:]]).T
        )
        for counts, names in (
            ((2, 2), ["threshold", "ratio", "attack", "release"]),
            ((1, 1), ["peak_reduction", "limit"]),
            ((2, 0), ["peak_reduction", "limit"]),
            ((3, 0), ["control_1", "control_2", "control_3"]),
        ):
            self.assertEqual([c["name"] for c in s6.CONTROLS(Take(s6_checkpoint(*counts)))], names)

    def test_the_layer_without_convolution_and_gate_is_told_by_its_names(self):
        random, out = np.random.default_rng(3), {}
        for name, value in mixer(random, 6, 6, rank=3).items():
            if not name.startswith(("in_projection", "conv1d")):
                out["1/" + name] = value
        for name, inputs, outputs in (
            ("0", 12, 6),
            ("2", 6, 6),
            ("3/dense", 4, 12),
            ("3/glu/dense", 6, 12),
            ("4", 6, 1),
        ):
            out[name + "/kernel"], out[name + "/bias"] = random.normal(size=(inputs, outputs)), np.zeros(
                outputs
            )
        checkpoint = {LAYER + name: value for name, value in out.items()}
        tensors, config, _, _, left = convert(s6, checkpoint)
        self.assertEqual((config["activation"], config["product"], left), ("tanh", False, set()))
        self.assertNotIn("ssm.0.in.weight", tensors)
        self.assertEqual(len(s6.CONTROLS(Take(checkpoint))), 4)

    def test_what_is_missing_misshapen_or_not_finite_is_refused_by_name(self):
        for name, value in s6_checkpoint().items():
            missing = s6_checkpoint()
            del missing[name]
            self.refused(lambda: convert(s6, missing), f"tensor {name}: missing")
            self.refused(lambda: convert(s6, {**s6_checkpoint(), name: np.zeros((7, 3, 2, 1))}), LAYER)
            self.refused(lambda: convert(s6, {**s6_checkpoint(), name: np.full(value.shape, np.nan)}), name)

    def test_json_that_lies_is_refused_by_tensor(self):
        for entry in (
            {"shape": [2, 3], "data": [1.0] * 5},
            {"shape": [-1], "data": [1.0]},
            {"shape": "3", "data": [1.0]},
            {"shape": [2], "data": ["a", "b"]},
            {"shape": [2], "data": [[1.0], [1.0, 2.0]]},
            {"shape": [2]},
        ):
            self.refused(lambda: s6.load(self.write("m.json", {"a": entry})), "tensor a")
        self.refused(lambda: s6.load(self.write("m.json", b'{"a": ')), "m.json")
        self.refused(lambda: s6.load(self.write("m.ckpt", b"noise")), "m.ckpt: is neither JSON nor")

    def test_a_state_that_never_decays_counts_as_ten_seconds_and_one_that_does_as_measured(self):
        quick, slow = s6_checkpoint(), s6_checkpoint()
        for number in "16":
            quick[f"{LAYER}{number}/mixer/delta_t_projection/bias"] = np.full(6, 2.0)
            slow[f"{LAYER}{number}/mixer/A_log"] = np.full((6, 5), -40.0)
        self.assertEqual(convert(s6, slow)[2], 10.0)
        self.assertTrue(convert(s6, quick)[2] < 1.0)
        self.assertEqual(s6_memory.samples_to_forget(np.zeros(400)), 0)
        # a tenth every 400 samples, from 1e-1 down to 1e-4
        self.assertAlmostEqual(
            s6_memory.samples_to_forget(0.1 * 10.0 ** (-np.arange(1000) / 400.0)), 1200, delta=60
        )

    def test_the_command_line_takes_either_file_and_says_what_it_found(self):
        write_bundle(self.path("best.ckpt"), {**s6_checkpoint(), "extra": np.ones(2)})
        done = self.run_it("s6", self.path("best.ckpt.index"), "-o", self.path("a.safetensors"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("tensor extra: not known to this family, left out", done.stderr)
        done = self.run_it(
            "s6",
            self.write("m.json", as_json(s6_checkpoint())),
            "-o",
            self.path("b.safetensors"),
            "--config",
            self.write("facts.json", {"meaning": "as_trained"}),
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        for name, meaning in (("a.safetensors", "recurrent"), ("b.safetensors", "as_trained")):
            header = self.read(name)["__metadata__"]
            self.assertEqual(json.loads(header["config"])["meaning"], meaning)
            self.assertEqual(json.loads(header["controls"])[0]["name"], "threshold")
        spoilt = {**s6_checkpoint(), LAYER + "8/kernel": np.ones((3, 1))}
        done = self.run_it("s6", self.write("m.json", as_json(spoilt)), "-o", self.path("c.safetensors"))
        self.assertEqual(done.returncode, 65)
        self.assertIn(f"tensor {LAYER}8/kernel: has shape (3, 1); expected (2, 1)", done.stderr)
        self.assertFalse(os.path.exists(self.path("c.safetensors")))


class EdLstm(Case):
    def test_shapes_tell_window_units_and_rate(self):
        tensors, config, forgets_s, inferred, left = convert(ed_lstm, ed_lstm_checkpoint())
        self.assertEqual((inferred["window"], inferred["units"], config["window"], left), (8, 6, 8, set()))
        self.assertEqual(forgets_s, 16 / 48000)
        np.testing.assert_array_equal(
            tensors["encoder.h.weight"], ed_lstm_checkpoint()["Conv_h/kernel"][:, 0, :].T
        )
        self.assertEqual(ed_lstm.SAMPLE_RATE(Take(ed_lstm_checkpoint(controls=2))), 44100)
        self.assertEqual(
            [c["name"] for c in ed_lstm.CONTROLS(Take(ed_lstm_checkpoint(controls=2)))],
            ["limit", "peak_reduction"],
        )

    def test_what_is_missing_misshapen_or_not_finite_is_refused_by_name(self):
        for name, value in ed_lstm_checkpoint().items():
            missing = ed_lstm_checkpoint()
            del missing[name]
            self.refused(lambda: convert(ed_lstm, missing), f"tensor {name}: missing")
            self.refused(
                lambda: convert(ed_lstm, {**ed_lstm_checkpoint(), name: np.zeros((7, 3, 2, 1))}), "tensor "
            )
            self.refused(
                lambda: convert(ed_lstm, {**ed_lstm_checkpoint(), name: np.full(value.shape, np.nan)}), name
            )

    def test_a_tensorflow_checkpoint_numbers_the_layers(self):
        numbered = {}
        for name, value in ed_lstm_checkpoint().items():
            layer, _, rest = name.partition("/")
            rest = rest.replace("lstm_cell/", "cell/")
            numbered[f"{LAYER}{ed_lstm.NUMBERED.index(layer)}/{rest}"] = value
        write_bundle(self.path("best.ckpt"), numbered)
        tensors, _ = ed_lstm.load(self.path("best.ckpt"))
        self.assertEqual(tensors.keys(), ed_lstm_checkpoint().keys())

    def test_what_is_no_weight_file_is_refused(self):
        self.refused(
            lambda: ed_lstm.load(self.write("m.h5", b"noise")), "m.h5: is neither a Keras .h5 file nor"
        )
        with self.assertRaises(Problem) as refusal:
            ed_lstm.load(self.path("absent.h5"))
        self.assertIn(refusal.exception.exit_code, (66, 69))

    @unittest.skipUnless(h5py, "h5py is not installed")
    def test_a_keras_file_becomes_a_model_file(self):
        def write(path, tensors):
            with h5py.File(path, "w") as file:
                for name, value in tensors.items():
                    file[f"{name.split('/')[0]}/{name}:0".replace("lstm_cell", "lstm_cell_3")] = value.astype(
                        "f4"
                    )
                file.create_group("top_level_model_weights")
                file["optimizer/iteration:0"] = 7

        write(self.path("m.h5"), ed_lstm_checkpoint())
        done = self.run_it("ed_lstm", self.path("m.h5"), "-o", self.path("m.safetensors"))
        self.assertEqual(done.returncode, 0, done.stderr)
        header = self.read("m.safetensors")
        metadata = header["__metadata__"]
        self.assertEqual(
            [
                metadata[key]
                for key in ("latency_samples", "receptive_field", "memory_samples", "sample_rate")
            ],
            ["8", "16", "16", "48000"],
        )
        self.assertEqual(header["lstm.weight_hh"]["shape"], [24, 6])
        write(self.path("bad.h5"), {**ed_lstm_checkpoint(), "OutLay/kernel": np.ones((6, 9))})
        done = self.run_it("ed_lstm", self.path("bad.h5"), "-o", self.path("bad.safetensors"))
        self.assertEqual(done.returncode, 65)
        self.assertIn("tensor OutLay/kernel: has shape (6, 9); expected (6, 8)", done.stderr)
        with open(self.path("m.h5"), "rb") as file:
            content = file.read()
        for length in (9, 100, len(content) // 2, len(content) - 1):
            done = self.run_it(
                "ed_lstm", self.write("cut.h5", content[:length]), "-o", self.path("bad.safetensors")
            )
            self.assertEqual(done.returncode, 65, done.stderr)
            self.assertNotIn("Traceback", done.stderr)
        self.assertFalse(os.path.exists(self.path("bad.safetensors")))

    @unittest.skipUnless(h5py, "h5py is not installed")
    def test_numbers_in_another_file_are_not_fetched(self):
        self.write("secret.bin", bytes(4 * 8 * 6))
        with h5py.File(self.path("m.h5"), "w") as file:
            file.create_dataset(
                "Conv_h/Conv_h/kernel:0", (8, 1, 6), "f4", external=[(self.path("secret.bin"), 0, 192)]
            )
            file["OutLay"] = h5py.ExternalLink("other.h5", "/OutLay")
        self.refused(lambda: ed_lstm.load(self.path("m.h5")), "Conv_h", "lie in another file")


if __name__ == "__main__":
    if h5py is None:
        print("skipped: Keras files need h5py (Debian: apt install python3-h5py)")
    unittest.main()
