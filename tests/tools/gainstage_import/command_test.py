#!/usr/bin/python3
"""The importer: what it makes of checkpoints in the published layouts, and what it refuses."""

import filecmp
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

from importing import np, torch
from support import SOURCE, TOOLS

import torch_files
from gainstage_files import model_file
from gainstage_import import cells, grey_box, memory, settings
from gainstage_import.checkpoint import strip_prefixes
from gainstage_files.problem import Problem
from gainstage_import.take import Take

MLP, SMOOTH, MAKE_UP = "static_comp.model.HCNet.", "gain_smooth.model.", "make_up.model."


def state_dict(knee=2, taus=1, makeup_gates=0):
    """A grey box as the authors' code names it; no number in it matters."""
    random = np.random.default_rng(1)
    out = {}
    for place, (rows, columns) in zip((0, 2, 4), ((20, 1), (20, 20), (knee, 20))):
        out[f"{MLP}{place}.weight"], out[f"{MLP}{place}.bias"] = random.normal(
            size=(rows, columns)
        ), np.zeros(rows)
    if taus:
        out[SMOOTH + "taus"] = (
            np.linspace(-5.0, -1.0, taus).reshape(1, 1, taus) if taus > 1 else np.full((1, 1, 1), 0.05)
        )
    else:
        out.update(cell(SMOOTH, 1, 4))
    if makeup_gates:
        out.update(cell(MAKE_UP, makeup_gates, 4))
    else:
        out.update({MAKE_UP + "gain": np.array(0.1), MAKE_UP + "bias": np.array(0.0)})
    return out


def cell(prefix, gates, units):
    random = np.random.default_rng(2)
    rows = gates * units
    shapes = {
        "rec.weight_ih_l0": (rows, 1),
        "rec.weight_hh_l0": (rows, units),
        "rec.bias_ih_l0": (rows,),
        "rec.bias_hh_l0": (rows,),
        "lin.weight": (1, units),
        "lin.bias": (1,),
    }
    return {prefix + name: 0.3 * random.normal(size=shape) for name, shape in shapes.items()}


def convert(tensors):
    take = Take(tensors)
    return (*grey_box.convert(take, grey_box.CONTROLS, {"mlp_activation": "tanh"}, 44100), take.left)


def read(path):
    """-> (metadata, {name: array}) of a model file."""
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    metadata = header.pop("__metadata__")
    return metadata, {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
        for name, entry in header.items()
    }


class GreyBox(unittest.TestCase):
    def test_shapes_tell_the_variant(self):
        _, config, _, inferred, _ = convert(state_dict(knee=2, taus=1))
        self.assertEqual(inferred, {"knee": "hard", "detector": "one_pole", "makeup": "static"})
        self.assertEqual(config["mlp_activation"], "tanh")
        _, _, _, inferred, _ = convert(state_dict(knee=3, taus=2))
        self.assertEqual(inferred, {"knee": "soft", "detector": "switching", "makeup": "static"})

    def test_time_constants_become_seconds(self):
        tensors, _, forgets_s, _, _ = convert(state_dict(taus=1))
        self.assertEqual(tensors["detector.tau_s"].tolist(), [0.05])
        self.assertAlmostEqual(forgets_s, 11.43 * 0.05)
        outside = state_dict(taus=1)
        outside[SMOOTH + "taus"] = np.full((1, 1, 1), -3.0)
        self.assertEqual(convert(outside)[0]["detector.tau_s"].tolist(), [1e-4])
        tensors, _, forgets_s, _, _ = convert(state_dict(taus=2))
        np.testing.assert_allclose(tensors["detector.tau_s"], 1 / (1 + np.exp([5.0, 1.0])))
        self.assertAlmostEqual(forgets_s, 11.43 * 0.26894, places=3)

    def test_what_is_missing_misshapen_or_not_finite_is_refused_by_name(self):
        for name in state_dict():
            missing = state_dict()
            del missing[name]
            with self.assertRaises(Problem) as refusal:
                convert(missing)
            self.assertTrue(
                name in str(refusal.exception) or MLP in str(refusal.exception), refusal.exception
            )
            for spoilt in (np.zeros((7, 3, 2)), np.full(state_dict()[name].shape, np.nan)):
                with self.assertRaises(Problem) as refusal:
                    convert({**state_dict(), name: spoilt})
                self.assertIn(name, str(refusal.exception))

    def test_unknown_tensors_are_left_over(self):
        self.assertEqual(convert({**state_dict(), "loss.window": np.zeros(5)})[-1], {"loss.window"})

    def test_wrappers_prefixes_are_stripped(self):
        for wrapped in ("model." + SMOOTH, "module.model." + SMOOTH, "_orig_mod." + SMOOTH):
            self.assertEqual(strip_prefixes(wrapped, grey_box.OWN_NAMES), SMOOTH)
        self.assertEqual(strip_prefixes("other." + SMOOTH, grey_box.OWN_NAMES), "other." + SMOOTH)


class Cells(unittest.TestCase):
    @unittest.skipUnless(torch, "PyTorch is not installed")
    def test_they_are_pytorchs(self):
        random = np.random.default_rng(4)
        for gates, kind in ((1, "RNN"), (3, "GRU"), (4, "LSTM")):
            theirs = getattr(torch.nn, kind)(3, 5).double()
            weights = {
                name: getattr(theirs, name + "_l0").detach().numpy()
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            }
            sound = random.normal(size=(2 * cells.PIECE + 7, 4, 3))
            mine = cells.cell_of(weights)
            state = mine.begin(4, 0.5)
            begun = [torch.full((1, 4, 5), 0.5, dtype=torch.float64)] * len(state)
            expected, last = theirs(torch.from_numpy(sound), tuple(begun) if gates == 4 else begun[0])
            np.testing.assert_allclose(mine.run(sound, state), expected.detach().numpy(), rtol=0, atol=1e-12)
            np.testing.assert_allclose(
                state, torch.cat(list(last) if gates == 4 else [last]).detach().numpy(), rtol=0, atol=1e-12
            )

    def test_one_poles_run_from_every_start(self):
        inputs, alpha = np.random.default_rng(5).normal(size=(2, 50)), np.random.default_rng(6).uniform(
            size=(3, 2, 50)
        )
        found = memory.smooth(inputs, alpha, (-1.0, 0.0)).reshape(2, 3, 2, 50)
        for s, start in enumerate((-1.0, 0.0)):
            for n in range(3):
                state = np.full(2, start)
                for k in range(50):
                    state = alpha[n, :, k] * state + (1.0 - alpha[n, :, k]) * inputs[:, k]
                    np.testing.assert_allclose(found[s, n, :, k], state, rtol=0, atol=1e-14)


class Settings(unittest.TestCase):
    def check(self, **given):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(given, file)
            file.flush()
            return settings.read(file.name, grey_box)

    def test_good_ones_are_taken(self):
        controls = [{"name": "drive", "unit": "", "min": 0, "max": 1, "default": 0.5}]
        got = self.check(
            sample_rate=48000, mlp_activation="relu", license="MIT", controls=controls, training={"epochs": 3}
        )
        self.assertEqual(got["sample_rate"], 48000)
        self.assertEqual(got["controls"][0]["to_model"], {"scale": 1.0, "offset": 0.0})

    def test_others_are_refused_by_key(self):
        for given in (
            {"sample_rat": 1},
            {"sample_rate": "44100"},
            {"sample_rate": 0},
            {"mlp_activation": "gelu"},
            {"mlp_activation": ["tanh"]},
            {"license": 3},
            {"training": "long"},
            {"controls": {}},
            {"controls": [{"name": "a"}]},
            {"memory_samples": -1},
            {"memory_samples": 1.5},
            {"memory_samples": True},
            {"controls": [{"name": "a", "unit": "", "min": 1, "max": 0, "default": 0}]},
        ):
            with self.assertRaises(Problem) as refusal:
                self.check(**given)
            self.assertIn(next(iter(given)), str(refusal.exception))


class Written(unittest.TestCase):
    def test_the_shipped_textbook_models_are_what_the_script_makes(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-B", "-m", "gainstage_import.textbook", folder], check=True)
            made = sorted(os.listdir(folder))
            self.assertEqual(made, ["bus-textbook.safetensors", "opto-textbook.safetensors"])
            for name in made:
                self.assertTrue(
                    filecmp.cmp(
                        os.path.join(folder, name), os.path.join(SOURCE, "models", name), shallow=False
                    )
                )

    def test_numbers_beyond_float_are_refused_and_nothing_is_left_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "m.safetensors")
            with self.assertRaises(Problem) as refusal, np.errstate(over="ignore"):
                model_file.write(path, {"w": np.array([1e300])}, {})
            self.assertIn("tensor w", str(refusal.exception))
            with self.assertRaises(Problem) as refusal:
                model_file.write(os.path.join(folder, "no", "m.safetensors"), {}, {})
            self.assertEqual(refusal.exception.exit_code, 73)
            self.assertEqual(os.listdir(folder), [])

    def test_an_output_that_is_read_as_well_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path, link = os.path.join(folder, "model.ckpt"), os.path.join(folder, "link")
            with open(path, "w") as file:
                file.write("weights")
            os.symlink("model.ckpt", link)
            for arguments in (
                ["grey_box", path, "-o", link],
                ["grey_box", "none", "--config", path, "-o", path],
            ):
                done = subprocess.run(
                    [sys.executable, os.path.join(TOOLS, "import_model"), *arguments],
                    capture_output=True,
                    text=True,
                )
                self.assertEqual(done.returncode, 73)
                self.assertIn(f"cannot be written: it is read as well, as {path}", done.stderr)
            with open(path) as file:
                self.assertEqual(file.read(), "weights")


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def run_it(self, *arguments):
        return subprocess.run(
            [sys.executable, "-B", os.path.join(TOOLS, "import_model"), *arguments],
            text=True,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def save(self, tensors, name="model.ckpt", wrap=lambda d: d):
        """By PyTorch where it is, else as PyTorch does it."""
        if torch:
            torch.save(
                wrap({n: torch.tensor(v, dtype=torch.float32) for n, v in tensors.items()}), self.path(name)
            )
            return self.path(name)
        return torch_files.write(
            self.path(name),
            torch_files.archive_of(wrap({n: np.asarray(v, "f4") for n, v in tensors.items()})),
        )

    def test_a_lightning_checkpoint_becomes_a_model_file(self):
        tensors = {"model." + n: v for n, v in {**state_dict(3, 2, 3), "loss.window": np.zeros(3)}.items()}
        checkpoint = self.save(tensors, wrap=lambda d: {"state_dict": d, "epoch": 7})
        done = self.run_it("grey_box", checkpoint, "-o", self.path("m.safetensors"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("tensor loss.window: not known to this family, left out", done.stderr)
        self.assertEqual(done.stdout, "")
        metadata, arrays = read(self.path("m.safetensors"))
        self.assertEqual(json.loads(metadata["config"])["makeup"], "gru")
        self.assertEqual(json.loads(metadata["controls"])[0]["to_model"], {"scale": 0.02, "offset": -1.0})
        # switching, released in 0.27 s, and a GRU that forgets within a second
        self.assertTrue(
            135563 <= int(metadata["memory_samples"]) < 135563 + 44100, metadata["memory_samples"]
        )
        np.testing.assert_array_equal(
            arrays["mlp.1.weight"], state_dict(3, 2, 3)[MLP + "2.weight"].astype("f4")
        )
        self.assertEqual(arrays["makeup.weight_ih"].shape, (12, 1))

    def test_a_detector_that_is_fast_from_one_end_of_its_cell_is_not_thought_fast(self):
        # raw = 2 - 30 h. From h = 1 the first time constant is next to nothing, and so it is while the gain
        # is low; at rest, h = 0, it is 0.88 s, and 0.88 s * ln(1 / 1.1e-5) = 10 s.
        cell = {
            "weight_ih": [[-1.0]],
            "weight_hh": [[0.5]],
            "bias_ih": [0.0],
            "bias_hh": [0.0],
            "out.weight": [[-30.0]],
            "out.bias": [2.0],
        }
        seconds = memory.of_detector(
            {f"detector.{name}": np.array(value) for name, value in cell.items()}, "detector", 1000.0
        )
        self.assertGreater(seconds, 9.0)

    def import_with(self, facts):
        """facts: JSON text; m.safetensors is made."""
        with open(self.path("facts.json"), "w", encoding="utf-8") as file:
            file.write(facts)
        done = self.run_it(
            "grey_box",
            self.save(state_dict()),
            "-o",
            self.path("m.safetensors"),
            "--config",
            self.path("facts.json"),
        )
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_facts_are_taken_over(self):
        facts = {"sample_rate": 48000, "mlp_activation": "relu", "license": "CC0-1.0"}
        self.import_with(json.dumps(facts))
        metadata, _ = read(self.path("m.safetensors"))
        self.assertEqual((metadata["sample_rate"], metadata["license"]), ("48000", "CC0-1.0"))
        self.assertEqual(json.loads(metadata["config"])["mlp_activation"], "relu")

    def test_knobs_that_nobody_named_are_told_as_a_guess(self):
        recurrent = {**cell("", 4, 3), "rec.weight_ih_l0": np.zeros((12, 2))}
        checkpoint, out = self.save(recurrent), self.path("m.safetensors")
        done = self.run_it("lstm", checkpoint, "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("controls: peak_reduction 0 .. 100: a guess; name them with --config", done.stderr)
        self.assertIn("measures how long it remembers", done.stderr)
        knob = {"name": "drive", "unit": "", "min": 0, "max": 1, "default": 0.5}
        with open(self.path("facts.json"), "w", encoding="utf-8") as file:
            json.dump({"controls": [knob]}, file)
        done = self.run_it("lstm", checkpoint, "-o", out, "--config", self.path("facts.json"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("guess", done.stderr)
        self.assertEqual(json.loads(read(out)[0]["controls"])[0]["to_model"], {"scale": 1.0, "offset": 0.0})

    def test_the_example_of_the_help_is_taken(self):
        text = self.run_it("--help").stdout
        begin = text.index('{"sample_rate"')
        self.import_with(text[begin : text.rindex("}}") + 2])
        self.assertEqual(read(self.path("m.safetensors"))[0]["license"], "MIT")

    def test_the_help_needs_no_library(self):
        alone = (
            "import runpy, sys; sys.modules['numpy'] = None; "
            "runpy.run_module('gainstage_import', run_name='__main__')"
        )
        done = subprocess.run(
            [sys.executable, "-B", "-c", alone, "--help"], capture_output=True, text=True, cwd=TOOLS
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn('"controls": [{"name"', done.stdout)

    def test_it_needs_numpy_alone(self):
        """Whatever else is installed."""
        alone = (
            "import sys; sys.modules['torch'] = sys.modules['h5py'] = sys.modules['scipy'] = None; "
            "from gainstage_import.__main__ import main; sys.exit(main(sys.argv[1:]))"
        )
        done = subprocess.run(
            [
                sys.executable,
                "-B",
                "-c",
                alone,
                "grey_box",
                self.save(state_dict(3, 0, 1)),
                "-o",
                self.path("m.safetensors"),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(int(read(self.path("m.safetensors"))[0]["memory_samples"]), 0)

    @unittest.skipUnless(torch, "PyTorch is not installed")
    def test_code_in_a_checkpoint_is_not_run(self):
        marker = self.path("was-run")

        class Trap:
            def __reduce__(self):
                return os.mkdir, (marker,)

        torch.save({"state_dict": Trap()}, self.path("trap.pt"))
        done = self.run_it("grey_box", self.path("trap.pt"), "-o", self.path("m.safetensors"))
        self.assertEqual(done.returncode, 65)
        self.assertIn("holds more than tensors", done.stderr)
        self.assertFalse(os.path.exists(marker))

    def test_exit_codes_and_an_older_result_stays(self):
        out = self.path("m.safetensors")
        with open(out, "w", encoding="utf-8") as file:
            file.write("older")
        with open(self.path("noise.pt"), "wb") as file:
            file.write(b"no checkpoint")
        damaged = self.save({n: v for n, v in state_dict().items() if n != SMOOTH + "taus"}, "damaged.pt")
        good = self.save(state_dict(), "good.pt")
        facts = self.path("long.json")
        with open(facts, "w", encoding="utf-8") as file:
            file.write('{"sample_rate": 48000, "memory_samples": 480001}')
        for code, arguments in (
            (64, ("grey_bx", good, "-o", out)),
            (64, ("grey_box", "", "-o", out)),
            (64, ("grey_box", good, "-o", "")),
            (64, ("grey_box", good, "-o", out, "--config", "")),
            (65, ("grey_box", good, "-o", out, "--config", facts)),
            (64, ("grey_box", good)),
            (65, ("grey_box", self.path("noise.pt"), "-o", out)),
            (65, ("grey_box", damaged, "-o", out)),
            (66, ("grey_box", self.path("absent.pt"), "-o", out)),
            (66, ("grey_box", good, "-o", out, "--config", self.path("absent.json"))),
            (73, ("grey_box", good, "-o", self.path("no/such/folder.safetensors"))),
        ):
            done = self.run_it(*arguments)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertNotIn("Traceback", done.stderr)
        with open(out, encoding="utf-8") as file:
            self.assertEqual(file.read(), "older")


if __name__ == "__main__":
    if torch is None:
        print(
            "skipped: what PyTorch itself saves and computes is compared where it is (Debian: apt install python3-torch)"
        )
    unittest.main()
