#!/usr/bin/python3
"""Data sets that are generated and written, and the recordings behind them."""

import filecmp
import os
import unittest

import support

support.need("numpy", "scipy", "soundfile", "numba")

import numpy as np  # noqa: E402
from data_folder import RATE, Folder, music, squashed  # noqa: E402

from gainstage_train import data  # noqa: E402
from gainstage_train.data import noise, recordings, signals, write  # noqa: E402
from gainstage_train.data.pairs import TEST, TRAIN, UNSEEN, VALIDATION, Pair  # noqa: E402
from gainstage_files.problem import Problem  # noqa: E402


class Written(Folder):
    def test_what_is_written_is_read_again(self):
        x = (music() * 2.0**15).round() / 2.0**15
        pairs = [
            Pair("a@1", x, squashed(x), {"gain": float(g)}, split)
            for g, split in ((1, TRAIN), (2, VALIDATION), (3, TEST))
        ]
        write.folder(
            self.path,
            pairs,
            [
                {
                    "name": "gain",
                    "unit": "dB",
                    "min": 0,
                    "max": 3,
                    "default": 1,
                    "to_model": {"scale": 1.0, "offset": 0.0},
                }
            ],
            RATE,
            "by hand",
        )
        found = data.load(self.path)
        self.assertEqual([pair.split for pair in found.pairs], [TRAIN, VALIDATION, TEST])
        np.testing.assert_array_equal(found.pairs[2].dry, x)
        np.testing.assert_allclose(found.pairs[2].wet, squashed(x), atol=2.0**-23)
        self.assertEqual(len(os.listdir(os.path.join(self.path, "dry"))), 1)
        with self.assertRaisesRegex(Problem, "already holds a data set"):
            write.folder(self.path, pairs, [], RATE, "")

    def test_nothing_is_written_clipped(self):
        with self.assertRaisesRegex(Problem, "beyond full scale"):
            write.sound(os.path.join(self.path, "x.flac"), np.full(10, 1.5, np.float32), RATE)


class Recordings(unittest.TestCase):
    def test_no_recording_is_in_two_splits(self):
        seen = [
            name
            for table in (recordings.PHRASES, recordings.HITS)
            for names in table.values()
            for name in names
        ]
        self.assertEqual(len(seen), len(set(seen)))

    def test_resampling_keeps_a_tone(self):
        x = signals.tone(44100, 1.0, 5000.0)
        y = recordings.resampled(x, 44100, 48000)
        self.assertLess(np.max(np.abs(y - signals.tone(48000, 1.0, 5000.0))[500:-500]), 1e-3)

    def test_pink_noise_falls_3_db_an_octave_and_has_its_level(self):
        x = noise.pink(np.random.default_rng(1), 1 << 18, -40.0).astype(float)
        self.assertAlmostEqual(10.0 * np.log10(np.mean(x**2)), -40.0, delta=1e-3)
        power = np.abs(np.fft.rfft(x)) ** 2
        low, high = (np.mean(power[k : 2 * k]) for k in (1 << 12, 1 << 15))
        self.assertAlmostEqual(10.0 * np.log10(low / high), 9.03, delta=0.3)


class Generated(Folder):
    def setUp(self):
        super().setUp()
        if recordings.missing():
            self.skipTest("needs sonic-pi-samples (Debian: apt install sonic-pi-samples)")

    def made(self, name, *arguments):
        from gainstage_train.data import generate

        path = os.path.join(self.path, name)
        generate.generate(generate.parse([*arguments, "-o", path]))
        return path

    def test_optical_holds_out_recordings_and_settings(self):
        path = self.made("a", "optical", "--minutes", "0.3", "--settings", "0,50,100")
        found = data.load(path)
        self.assertEqual(
            sorted({pair.knobs["peak_reduction"] for pair in found.of(TRAIN)}), [0.0, 50.0, 100.0]
        )
        self.assertEqual(len(found.of(UNSEEN)), 10)
        self.assertEqual(len({pair.dry.tobytes() for pair in found.of(TEST) + found.of(UNSEEN)}), 1)
        self.assertTrue(all(np.max(np.abs(pair.wet)) < 1.0 for pair in found.pairs))

    def test_the_same_arguments_give_the_same_files_and_another_seed_others(self):
        a, b = (self.made(name, "toy", "--minutes", "0.4") for name in "ab")
        c = self.made("c", "toy", "--minutes", "0.4", "--seed", "2")
        names = [os.path.join("wet", name) for name in sorted(os.listdir(os.path.join(a, "wet")))] + [
            "pairs.csv",
            "controls.json",
        ]
        self.assertEqual(filecmp.cmpfiles(a, b, names, shallow=False)[1:], ([], []))
        self.assertNotIn("wet/train-0000.flac", filecmp.cmpfiles(a, c, names, shallow=False)[0])

    def test_the_toy_has_noise_at_minus_40_db_on_training_targets_alone(self):
        from gainstage_train.compressors import digital

        found = data.load(self.made("a", "toy", "--minutes", "0.4", "--rate", "44100"))
        self.assertEqual(found.sample_rate, 44100)
        for pair, expected in ((found.of(TRAIN)[0], -40.0), (found.of(TEST)[0], -120.0)):
            added = pair.wet - digital.compress(
                pair.dry, 44100, **{"threshold_db": pair.knobs["threshold"], "ratio": pair.knobs["ratio"]}
            )
            level = 10.0 * np.log10(np.mean(np.square(added, dtype=np.float64)) + 1e-14)
            self.assertTrue(level < expected + 0.1 and (expected < -100.0 or level > expected - 0.1), level)


if __name__ == "__main__":
    unittest.main()
