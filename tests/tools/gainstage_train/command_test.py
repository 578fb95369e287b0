#!/usr/bin/python3
"""python3 -m gainstage_train as its user meets it: refusals, a short run that learns, and runs that are
stopped and killed."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import support

support.need("numpy", "torch", "scipy", "soundfile", "numba")

import numpy as np  # noqa: E402
import small  # noqa: E402

from gainstage_train.__main__ import main  # noqa: E402
from gainstage_train.compressors import digital  # noqa: E402
from gainstage_train.data import write  # noqa: E402

PATIENCE_S = 200.0  # on a loaded machine
SMALL = [
    "--set",
    "detector_units=2",
    "--set",
    "makeup_units=2",
    "--set",
    "hidden=[4]",
    "--batch",
    "8",
    "--segment",
    "0.6",
    "--warm",
    "0.1",
    "--step",
    "0.1",
]


def squeezed(dry, amount):
    """A digital compressor, the lower its threshold the more."""
    return digital.compress(dry, small.RATE, -10 - 25 * amount, 4.0, attack_ms=5.0, release_ms=80.0).astype(
        np.float32
    )


def tensors_of(path):
    """The bytes behind the header, which says times."""
    with open(path, "rb") as file:
        content = file.read()
    return content[8 + int.from_bytes(content[:8], "little") :]


class Command(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        keep = tempfile.TemporaryDirectory()
        cls.addClassCleanup(keep.cleanup)
        cls.folder = keep.name
        data = small.dataset(20.0, device=squeezed)
        cls.data = cls.path("data")
        write.folder(cls.data, data.pairs, data.controls, data.sample_rate, data.source)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    def test_hears_the_signals_that_its_parent_blocked(self):
        program = "import os, signal; from gainstage_train import command_line; command_line.report(lambda: os.kill(os.getpid(), signal.SIGTERM))"
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()),
        )
        self.assertEqual(done.returncode, -signal.SIGTERM)

    def start(self, output, *arguments):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gainstage_train",
                "grey_box",
                "--data",
                self.data,
                "-o",
                output,
                *arguments,
            ],
            env=environment,
            text=True,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def to_end(self, process, code=0):
        out, err = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, code, err)
        self.assertEqual(out, "")
        self.assertNotIn("Traceback", err)
        return err

    def wait_for_checkpoint(self, process, path, newer_than=0.0):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and process.poll() is None:
            if os.path.exists(path) and os.stat(path).st_mtime > newer_than:
                return
            time.sleep(0.02)
        self.fail(
            f"no checkpoint; {process.communicate()[1] if process.poll() is not None else 'still runs'}"
        )

    def refused(self, *arguments):
        """-> (exit code, what was said)"""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(list(arguments))
            except SystemExit as end:
                code = end.code
        return code, err.getvalue()

    def test_what_is_wrong_is_said_before_anything_is_learned(self):
        out = self.path("refused.safetensors")
        good = ["grey_box", "--data", self.data, "-o", out]
        for code, word, arguments in (
            (64, "grey_bx", ["grey_bx", *good[1:]]),
            (64, "--data", ["grey_box", "-o", out]),
            (64, "-o", good[:3]),
            (64, "detector=", [*good, "--set", "detectr=gru"]),
            (64, "name=value", [*good, "--set", "detector"]),
            (64, "loss 'ers'", [*good, "--loss", "ers"]),
            (64, "above 0", [*good, "--minutes", "0"]),
            (64, "above 0", [*good, "--rate", "-1"]),
            (64, ".safetensors", [*good[:-1], self.path("refused.bin")]),
            (64, "above 0", [*good, "--batch", "0"]),
            (64, "above 0", [*good, "--processes", "0"]),
            (64, "0 or more", [*good, "--clip", "-1"]),
            (64, "longer than --warm", [*good, "--segment", "0.5", "--warm", "0.5"]),
            (65, "mr_stft", [*good, "--loss", "mr_stft", "--step", "0.01"]),
            (66, "absent", ["grey_box", "--data", self.path("absent"), "-o", out]),
            (69, "cuda:77", [*good, "--device", "cuda:77"]),
            (73, "cannot be written", [*good[:-1], self.path("no/such.safetensors")]),
        ):
            with self.subTest(arguments=arguments):
                got, said = self.refused(*arguments)
                self.assertEqual(got, code, said)
                self.assertIn(word, said)
                self.assertNotIn("epoch ", said)
        self.assertFalse(os.path.exists(out))

    def test_a_wrong_choice_of_a_setting_is_refused(self):
        for setting in ("detector=magic", "detector_units=-1", "hidden=7", "makeup_units=many"):
            got, said = self.refused(
                "grey_box", "--data", self.data, "-o", self.path("refused.safetensors"), "--set", setting
            )
            self.assertEqual(got, 64, said)
            self.assertIn(setting.split("=")[0], said)

    def test_a_setting_that_would_do_nothing_is_refused(self):
        for kind, choice, idle in (
            ("grey_box", "detector=switching", "detector_units=2"),
            ("grey_box", "makeup=static", "makeup_units=2"),
            ("s6", "features=0", "bins=17"),
        ):
            got, said = self.refused(
                kind,
                "--data",
                self.data,
                "-o",
                self.path("refused.safetensors"),
                "--set",
                choice,
                "--set",
                idle,
            )
            self.assertEqual(got, 64, said)
            self.assertIn(
                f"--set {idle.split('=')[0]}: does nothing in a {kind} with {choice}; leave it out", said
            )

    def test_stopped_and_killed_it_goes_on_as_if_nothing_had_happened(self):
        for processes in ("1", "2"):
            with self.subTest(processes=processes):
                self.stopped_and_killed("--epochs", "5", *SMALL, "--processes", processes)

    def stopped_and_killed(self, *arguments):
        whole, parts = self.path("whole.safetensors"), self.path("parts.safetensors")
        checkpoint = parts + ".training"
        self.to_end(self.start(whole, *arguments, "--fresh"))
        self.assertFalse(os.path.exists(whole + ".training"))

        stopped = self.start(parts, *arguments)
        self.wait_for_checkpoint(stopped, checkpoint)
        os.killpg(stopped.pid, signal.SIGINT)  # as a terminal does
        self.assertIn("the same command goes on", self.to_end(stopped, 130))
        killed = self.start(parts, *arguments)
        self.wait_for_checkpoint(killed, checkpoint, os.stat(checkpoint).st_mtime)
        killed.kill()
        killed.communicate()
        self.wait_for_all(killed)
        said = self.to_end(self.start(parts, *arguments))
        self.assertIn("goes on after", said)
        self.assertFalse(os.path.exists(checkpoint))
        self.assertEqual(tensors_of(parts), tensors_of(whole))
        for path in (whole, parts):
            os.unlink(path)

    def wait_for_all(self, process):
        """Those that shared its work end, too."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.02)
        self.fail("a process is left behind")

    @unittest.skipUnless(os.access(support.GAINSTAGE, os.X_OK), "build/gainstage is not built")
    def test_a_model_that_is_there_stays_until_a_better_one_is_learned_and_may_be_begun_from(self):
        output, begun = self.path("stays.safetensors"), self.path("begun.safetensors")
        self.to_end(
            self.start(
                output, *SMALL, "--epochs", "6", "--rate", "0.01", "--average-steps", "2", "--processes", "2"
            )
        )
        good, card = tensors_of(output), self.read(output.replace(".safetensors", ".md"))
        self.assertIn("--epochs 6 --average-steps 2 --batch 8 --processes 2 --rate 0.01", card)
        said = self.to_end(self.start(output, *SMALL, "--epochs", "1", "--rate", "1e-6"))
        self.assertRegex(
            said, r"is there already, with esr\+dc [0-9.]+ here: it stays until something better is learned"
        )
        self.assertIn("stays: what was learned is no better, and goes beside it", said)
        self.assertEqual(tensors_of(output), good)
        self.assertTrue(
            os.path.exists(self.path("stays-new.safetensors")) and os.path.exists(self.path("stays-new.md"))
        )
        first = self.first_esr(
            self.to_end(self.start(begun, *SMALL, "--epochs", "1", "--rate", "1e-6", "--from", output))
        )
        self.assertLess(first, 0.5 * self.first_esr(said))
        self.assertRegex(
            self.read(begun.replace(".safetensors", ".md")), r"after [0-9.]+ min before \(`--from`\)"
        )
        code, said = self.refused("grey_box", "--data", self.data, "-o", begun, "--from", output)
        self.assertEqual(code, 64)
        self.assertIn("is not a grey_box of these sizes, knobs and sample rate", said)

    def first_esr(self, said):
        return float(re.search(r"epoch    0.00  esr ([0-9.e+-]+)", said).group(1))

    def read(self, path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def test_in_less_than_a_minute_it_learns_and_the_runtime_renders_what_it_learned(self):
        model = self.path("learned.safetensors")
        said = self.to_end(
            self.start(
                model, "--epochs", "6", "--batch", "8", "--segment", "1", "--warm", "0.1", "--step", "0.1"
            )
        )
        errors = [float(found) for found in re.findall(r"esr ([0-9.e-]+) \(", said)]
        gain = float(re.search(r"plain gain instead would have esr ([0-9.e-]+)", said).group(1))
        # 0.543 at first, 0.0038 at the end, where a plain gain has 0.123: one processor's rounding is not
        # another's
        self.assertLess(min(errors), 0.02 * errors[0], said)
        self.assertLess(min(errors), 0.1 * gain, said)
        with open(model[:-12] + ".md", encoding="utf-8") as file:
            self.assertIn("held-out audio", file.read())
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "gainstage_train.evaluate",
                model,
                "--data",
                self.data,
                "--through",
                support.GAINSTAGE,
                "--json",
            ],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        for row in json.loads(done.stdout)["rows"]:
            self.assertAlmostEqual(
                row["through"]["esr"], row["model"]["esr"], delta=1e-4 * row["model"]["esr"]
            )
            self.assertLess(row["model"]["esr"], gain)


if __name__ == "__main__":
    unittest.main()
