#!/usr/bin/python3
"""The loader on tiny folders in the layout of SignalTrain's LA-2A data."""

import os
import unittest
from unittest import mock

import support

support.need("numpy", "scipy", "soundfile", "numba")

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
from data_folder import Folder, music, played_late, squashed  # noqa: E402

from gainstage_train import data  # noqa: E402
from gainstage_train.data.pairs import TEST, TRAIN, VALIDATION  # noqa: E402


class SignalTrain(Folder):
    def setUp(self):
        super().setUp()
        for part, number, limit, peak in (
            ("Train", 138, 0, 0),
            ("Train", 161, 1, 65),
            ("Val", 140, 0, 10),
            ("Test", 200, 1, 100),
        ):
            x = music(1.0, number, 44100)
            self.sound(f"{part}/input_{number}_.wav", x, 44100)
            self.sound(
                f"{part}/target_{number}_LA2A_{2 if number == 200 else 3}c__{limit}__{peak}.wav",
                squashed(x),
                44100,
            )

    def test_its_folders_are_the_splits_and_its_names_the_knobs(self):
        found = data.load(self.path)
        self.assertEqual(
            [(pair.split, pair.knobs["limit"], pair.knobs["peak_reduction"]) for pair in found.pairs],
            [(TRAIN, 0.0, 0.0), (TRAIN, 1.0, 65.0), (VALIDATION, 0.0, 10.0), (TEST, 1.0, 100.0)],
        )
        self.assertEqual([each["name"] for each in found.controls], ["limit", "peak_reduction"])
        self.assertEqual(found.sample_rate, 44100)

    def test_a_target_of_another_clock_is_refused(self):
        x = music(20.0, 138, 44100)
        for ppm in (50.0, -20.0):
            self.sound("Train/input_138_.wav", x, 44100)
            self.sound("Train/target_138_LA2A_3c__0__0.wav", played_late(squashed(x), 0.0, 1e-6 * ppm), 44100)
            said = self.refused(
                "target_138_LA2A_3c__0__0.wav: drifts away from ", "recorded by another clock; resample it"
            )
            self.assertAlmostEqual(float(said.split(" by ")[1].split(" ppm")[0]), ppm, delta=2.0)
            self.assertEqual(len(said.splitlines()), 1)
        self.sound("Train/target_138_LA2A_3c__0__0.wav", squashed(x), 44100)
        self.assertEqual(len(data.load(self.path).pairs), 4)

    def test_it_is_read_where_it_is_looked_at(self):
        dry = data.load(self.path).pairs[0].dry
        self.assertEqual(len(dry), 44100)
        with mock.patch.object(soundfile, "read", wraps=soundfile.read) as read:
            np.testing.assert_array_equal(dry[1000:1010], music(1.0, 138, 44100)[1000:1010])
            self.assertEqual((read.call_args.kwargs["start"], read.call_args.kwargs["stop"]), (1000, 1010))
        np.testing.assert_array_equal(np.asarray(dry), music(1.0, 138, 44100))

    def test_capitals_of_its_names_do_not_matter(self):
        for part, other in (("Train", "TRAIN"), ("Val", "val")):
            os.rename(os.path.join(self.path, part), os.path.join(self.path, other))
            for name in os.listdir(os.path.join(self.path, other)):
                os.rename(
                    os.path.join(self.path, other, name),
                    os.path.join(self.path, other, name.replace(".wav", ".WAV")),
                )
        self.assertEqual(
            [pair.split for pair in data.load(self.path).pairs], [TRAIN, TRAIN, VALIDATION, TEST]
        )

    def test_a_target_without_its_input_and_lengths_that_differ(self):
        os.unlink(os.path.join(self.path, "Val", "input_140_.wav"))
        self.sound("Test/input_200_.wav", music(0.5, 200, 44100), 44100)
        self.refused("has no input_140_.wav beside it", "has 44100 samples and")


if __name__ == "__main__":
    unittest.main()
