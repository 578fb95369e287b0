#!/usr/bin/python3
"""The loop for real: a patch plays, a model of it is trained in another process, and the patch takes up every
better one."""

import glob
import json
import os
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
import soundfile  # noqa: E402
import torch  # noqa: E402

from gainstage_train import export, models  # noqa: E402
from gainstage_train.compressors import digital  # noqa: E402
from gainstage_train.data import write  # noqa: E402

PATIENCE_S = 120.0  # on a loaded machine
BLOCK = 4096  # 85 ms: nothing but a hung machine makes it late
FADE_S = 0.025
BEND_OF_A_FADE = 1.1  # as in tests/stage/rehearsal_test.cpp; 1.008 was measured
SETTINGS = ["--set", "detector=switching", "--set", "makeup=static"]
PATCH = """format = 1
name = "Rehearsal"
links = ["in -> box -> out"]
[nodes]
in = { type = "input", channels = [1] }
box = { type = "grey_box", model = "box.safetensors", amount = 0.8 }
out = { type = "output", channels = [1] }
"""


def squeezed(dry, amount):
    """A digital compressor, the lower its threshold the more."""
    return digital.compress(dry, small.RATE, -10 - 25 * amount, 4.0, attack_ms=5.0, release_ms=80.0).astype(
        np.float32
    )


class Player:
    """gainstage run --null --rehearse, and what it tells."""

    def __init__(self, folder):
        self.folder = folder
        self.told, self.words = (
            open(os.path.join(folder, name), "w", encoding="utf-8") for name in ("told", "words")
        )
        self.process = subprocess.Popen(
            [
                support.GAINSTAGE,
                "run",
                "song.toml",
                "--null",
                "--block",
                str(BLOCK),
                "--rate",
                str(small.RATE),
                "--rehearse",
                "--json",
                "--log",
                "take.jsonl",
                "--record",
                "take.wav",
            ],
            cwd=folder,
            stdout=self.told,
            stderr=self.words,
        )

    def events(self, name):
        # A file of our own: seeking in self.told would move the place where the player writes, too.
        with open(self.told.name, encoding="utf-8") as told:
            lines = [line for line in told.read().split("\n")[:-1] if line]
        return [event for event in map(json.loads, lines) if event["event"] == name]

    def waits_for(self, name, count):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and self.process.poll() is None:
            if len(self.events(name)) >= count:
                return True
            time.sleep(0.05)
        return False

    def end(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_S)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.told.close()
        self.words.close()


def bend(sound):
    """The largest second difference: 30 times as large where a tone of 100 Hz jumps by a hundredth of
    itself."""
    return float(np.abs(np.diff(sound, 2)).max())


class Rehearsal(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.model = self.path("box.safetensors")
        torch.manual_seed(1)
        untrained = models.build(
            "grey_box", small.CONTROLS, small.RATE, detector="switching", makeup="static"
        )
        export.quickly(untrained, self.model)
        with open(self.path("song.toml"), "w", encoding="utf-8") as file:
            file.write(PATCH)
        data = small.dataset(15.0, device=squeezed)
        write.folder(self.path("data"), data.pairs, data.controls, data.sample_rate, data.source)

    def path(self, name):
        return os.path.join(self.folder, name)

    def train(self):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [
                "nice",
                sys.executable,
                "-m",
                "gainstage_train",
                "grey_box",
                "--data",
                self.path("data"),
                "-o",
                self.model,
                "--epochs",
                "4",
                *SETTINGS,
            ],
            env=environment,
            text=True,
            stderr=subprocess.PIPE,
        )

    def repeated(self):
        """The take as its log says, on a tone instead of the silence that no device gives."""
        frames = soundfile.info(self.path("take.wav")).frames
        tone = 0.3 * np.sin(2 * np.pi * 100 / small.RATE * np.arange(frames))
        soundfile.write(self.path("tone.wav"), tone.astype(np.float32), small.RATE, subtype="FLOAT")
        done = subprocess.run(
            [
                support.GAINSTAGE,
                "render",
                "-q",
                "song.toml",
                "tone.wav",
                "--events",
                "take.jsonl",
                "-o",
                "heard.wav",
            ],
            cwd=self.folder,
            text=True,
            stderr=subprocess.PIPE,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return soundfile.read(self.path("heard.wav"))[0]

    def log(self):
        with open(self.path("take.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_a_patch_that_plays_takes_up_every_better_model(self):
        player = Player(self.folder)
        self.addCleanup(player.close)
        self.assertTrue(player.waits_for("playing", 1))
        time.sleep(1.0)
        trained = self.train()
        self.assertEqual(trained.returncode, 0, trained.stderr)
        better = trained.stderr.count("best so far") - 1  # the first says how it was untrained
        self.assertGreaterEqual(better, 2, trained.stderr)
        with open(self.model, "rb") as file:
            last = file.read()
        end = time.monotonic() + PATIENCE_S
        while last not in self.models_played() and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(1.0)
        self.assertEqual(player.end(), 0, player.words)

        self.assertIn(last, self.models_played())
        swaps = [event for event in player.events("fade") if event.get("swapped") == ["box"]]
        (summary,) = player.events("summary")
        self.assertGreaterEqual(len(swaps), 2)  # two that come within one fade are one
        self.assertEqual(summary["swaps"], len(swaps))
        for trouble in ("xruns", "quarantines", "refused", "reports_lost", "stalls", "edits"):
            self.assertEqual(summary[trouble], 0, f"{trouble}: {summary}")
        self.assertEqual(player.events("problem"), [])
        played = [line["play"]["models"] for line in self.log() if "play" in line]
        self.assertEqual([set(models) for models in played], [{"box.safetensors"}] * (1 + len(swaps)))
        self.check_sound([swap["at"] for swap in swaps])

    def models_played(self):
        contents = []
        for name in glob.glob(self.path("take.jsonl.files/*.safetensors")):
            with open(name, "rb") as file:
                contents.append(file.read())
        return contents

    def check_sound(self, swaps):
        heard, fade = self.repeated(), int(FADE_S * small.RATE)
        cycle = small.RATE // 100
        places = [0.3 * small.RATE, *swaps, len(heard) - 0.3 * small.RATE]
        changed = 0
        for before, at, after in zip(places, swaps, places[2:]):
            steady = max(
                bend(heard[max(int(before) + fade, at - 10 * cycle) : at - 1]),
                bend(heard[at + fade + 1 : min(int(after), at + fade + 10 * cycle)]),
            )
            self.assertLessEqual(bend(heard[at - 2 : at + fade + 2]), BEND_OF_A_FADE * steady)
            jump = heard[at - 2 * cycle : at + fade + 2 * cycle].copy()
            middle = len(jump) // 2
            jump[middle + int(np.argmax(np.abs(jump[middle : middle + cycle]))) :] *= 0.9
            self.assertGreater(
                bend(jump), BEND_OF_A_FADE * steady
            )  # the same search finds a switch without a fade
            levels = [
                np.abs(part).max()
                for part in (heard[at - cycle : at], heard[at + 3 * cycle : at + 4 * cycle])
            ]
            changed += abs(levels[1] - levels[0]) > 0.01 * levels[0]
        self.assertGreater(changed, 0)  # training is heard


if __name__ == "__main__":
    if not os.access(support.GAINSTAGE, os.X_OK):
        print(f"skipped: {support.GAINSTAGE} is not built")
    else:
        unittest.main()
