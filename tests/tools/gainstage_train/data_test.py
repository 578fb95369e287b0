#!/usr/bin/python3
"""The loader on tiny folders with a table, and what it says about bad data."""

import json
import os
import unittest

import support

support.need("numpy", "scipy", "soundfile", "numba")

import numpy as np  # noqa: E402
from data_folder import RATE, Folder, music, played_late, squashed  # noqa: E402

from gainstage_train import data  # noqa: E402
from gainstage_train.data import check, noise, signals  # noqa: E402
from gainstage_train.data.pairs import TEST, TRAIN, VALIDATION  # noqa: E402
from gainstage_files.problem import Problem  # noqa: E402


class HostileFolder(Folder):
    STEERING = "\x1b]0;owned\x07\x7f\x9b\u202e\u2066\u061c"

    def said(self):
        with self.assertRaises(Problem) as caught:
            data.load(self.path)
        said = str(caught.exception)
        self.assertTrue(
            all(line.isprintable() and not line.startswith("FORGED") for line in said.split("\n")),
            ascii(said),
        )
        self.assertIn("owned", said)

    def test_no_name_in_a_table_or_a_list_of_knobs_steers_a_terminal(self):
        quoted = '"' + self.STEERING + '\nFORGED"'
        for header, rows in (
            (f"dry,wet,{quoted}\n", "dry.wav,wet.wav,1\n"),
            ("dry,wet,split,gain\n", f"dry.wav,wet.wav,{quoted},1\n"),
            ("dry,wet,gain\n", f"{quoted},wet.wav,1\n"),
            ("dry,wet,gain\n", f"dry.wav,wet.wav,{quoted}\n"),
        ):
            with self.subTest(header + rows):
                self.pair(rows=rows, header=header)
                self.said()
        self.pair(rows="dry.wav,wet.wav,1\ndry.wav,wet.wav,2\n")
        name = self.STEERING + "\nFORGED"
        for knobs in ([{"name": name}], [{"name": "gain", "min": name}], [{"name": "gain"}, {"name": name}]):
            with self.subTest(knobs):
                self.text("controls.json", json.dumps(knobs))
                self.said()

    def test_pipes_are_refused_and_not_waited_for(self):
        self.pair()
        for name in ("dry.wav", "pairs.csv"):
            os.unlink(os.path.join(self.path, name))
            os.mkfifo(os.path.join(self.path, name))
            with self.subTest(name), self.assertRaises(Problem):
                data.load(self.path)


class GoodFolder(Folder):
    def test_a_pair_comes_as_it_was_recorded(self):
        x = music()
        self.pair(
            x, rows="dry.wav,wet.wav,train,30\ndry.wav,wet.wav,validation,60\n", header="dry,wet,split,gain\n"
        )
        found = data.load(self.path)
        self.assertEqual(found.sample_rate, RATE)
        np.testing.assert_array_equal(found.of(TRAIN)[0].dry, x)
        np.testing.assert_array_equal(found.of(TRAIN)[0].wet, squashed(x))
        self.assertEqual(found.of(VALIDATION)[0].knobs, {"gain": 60.0})
        self.assertEqual(
            found.controls,
            [
                {
                    "name": "gain",
                    "unit": "",
                    "min": 30.0,
                    "max": 60.0,
                    "default": 30.0,
                    "to_model": {"scale": 2.0 / 30.0, "offset": -3.0},
                }
            ],
        )

    def test_every_knob_but_a_switch_is_mapped_to_minus_1_to_1(self):
        self.pair(rows="dry.wav,wet.wav,0,5\ndry.wav,wet.wav,1,15\n", header="dry,wet,limit,drive\n")
        limit, drive = data.load(self.path).controls
        self.assertEqual((limit["steps"], limit["to_model"]), (2, {"scale": 1.0, "offset": 0.0}))
        self.assertEqual(
            [value * drive["to_model"]["scale"] + drive["to_model"]["offset"] for value in (5.0, 15.0)],
            [-1.0, 1.0],
        )

    def test_controls_json_gives_names_units_and_ranges(self):
        self.pair()
        self.text(
            "controls.json",
            json.dumps(
                {"source": "mine", "controls": [{"name": "gain", "unit": "dB", "min": 0, "max": 100}]}
            ),
        )
        found = data.load(self.path)
        self.assertEqual(found.source, "mine")
        self.assertEqual((found.controls[0]["unit"], found.controls[0]["default"]), ("dB", 50.0))

    def test_without_splits_few_recordings_are_cut_in_time_and_this_is_said(self):
        self.pair(rows="dry.wav,wet.wav,30\ndry.wav,wet.wav,60\n")
        found = data.load(self.path)
        self.assertEqual([len(found.of(split)) for split in (TRAIN, VALIDATION, TEST)], [2, 2, 2])
        self.assertAlmostEqual(found.seconds(TRAIN) / found.seconds(TEST), 8.0, delta=0.01)
        self.assertIn("no split column", found.notes[0])

    def test_without_splits_many_recordings_are_divided_whole_and_always_alike(self):
        lines = ""
        for number in range(10):
            x = music(1.0, number)
            self.sound(f"{number}.wav", x)
            self.sound(f"{number}-wet.wav", squashed(x))
            lines += f"{number}.wav,{number}-wet.wav,1\n"
        self.text("pairs.csv", "dry,wet,gain\n" + lines)
        first, again = data.load(self.path), data.load(self.path)
        self.assertEqual([len(first.of(split)) for split in (TRAIN, VALIDATION, TEST)], [8, 1, 1])
        self.assertEqual([pair.split for pair in first.pairs], [pair.split for pair in again.pairs])

    def test_it_is_resampled_only_when_asked(self):
        self.pair()
        self.assertEqual(data.load(self.path).sample_rate, RATE)
        other = data.load(self.path, sample_rate=16000)
        self.assertEqual((other.sample_rate, sum(len(pair.dry) for pair in other.pairs)), (16000, 4 * RATE))

    def test_no_knobs_at_all_are_fine(self):
        self.pair(rows="dry.wav,wet.wav\n", header="dry,wet\n")
        self.assertEqual(data.load(self.path).controls, [])

    def test_a_table_from_a_spreadsheet_is_read(self):
        """Semicolons and decimal commas, tabs, quotes, a byte-order mark, CR line ends."""
        self.pair()
        for content in (
            "dry;wet;gain\ndry.wav;wet.wav;0,5\ndry.wav;wet.wav;1,5\n",
            "dry\twet\tgain\rdry.wav\twet.wav\t0,5\rdry.wav\twet.wav\t1.5\r",
            '\ufeffdry,wet,gain\r\n"dry.wav","wet.wav","0.5"\r\ndry.wav,wet.wav,1.5\r\n',
        ):
            with self.subTest(content=content):
                with open(os.path.join(self.path, "pairs.csv"), "w", encoding="utf-8", newline="") as file:
                    file.write(content)
                found = data.load(self.path)
                self.assertEqual((found.controls[0]["min"], found.controls[0]["max"]), (0.5, 1.5))

    def test_capitals_of_a_file_s_ending_do_not_matter(self):
        self.pair(rows="dry.wav,wet.wav,1\ndry.wav,wet.wav,2\n")
        os.rename(os.path.join(self.path, "wet.wav"), os.path.join(self.path, "wet.WAV"))
        self.assertEqual(len(data.load(self.path).of(TRAIN)), 2)

    def test_a_knob_that_stands_still_is_no_knob_and_this_is_said(self):
        self.pair(rows="dry.wav,wet.wav,30,1\ndry.wav,wet.wav,30,2\n", header="dry,wet,gain,drive\n")
        found = data.load(self.path)
        self.assertEqual([each["name"] for each in found.controls], ["drive"])
        self.assertIn("gain is 30 in every line: it is no knob of the model", found.notes)


class BadFolder(Folder):
    def test_names_that_the_runtime_refuses_are_refused_before_anything_is_learned_with_ones_that_it_takes(
        self,
    ):
        self.pair(
            header="dry,wet,Peak Reduction (dB),bypass,gain,2nd,Verst\u00e4rkung,link\n",
            rows="dry.wav,wet.wav,1,2,3,4,5,6\n",
        )
        said = self.refused(
            "Peak Reduction (dB): a knob's name has a-z, 0-9 and _",
            "rename the column to peak_reduction_db",
            "bypass: every node has a setting of this name; rename the column to bypass_knob",
            "2nd: a knob's name",
            "rename the column to knob_2nd",
            "rename the column to verstarkung",
            "rename the column to link_knob",
        )
        self.assertEqual(len(said.splitlines()), 5)
        self.pair(header="dry,wet,gain dB,gain_db\n", rows="dry.wav,wet.wav,1,2\n")
        self.refused("rename the column to gain_db_2")
        self.pair(header="dry,wet,mute\n")
        self.text("controls.json", json.dumps([{"name": "mute"}]))
        self.refused("mute: every node has a setting of this name")

    def test_ranges_that_the_runtime_refuses_are_refused_too(self):
        self.pair()
        self.text("controls.json", json.dumps([{"name": "gain", "min": 30, "max": 30}]))
        self.refused("gain: min 30 and max 30; expected a min below the max")
        self.text("controls.json", json.dumps([{"name": "gain", "min": 0, "max": 60, "steps": 1}]))
        self.refused("gain: steps 1; expected 2 to 1024")

    def test_a_table_that_is_none_is_named(self):
        self.pair()
        for content, cause in (
            (b"\xff\xfed\0r\0y\0", "UTF-16 text; save the file as UTF-8"),
            (b"PK\3\4", "a spreadsheet or a ZIP archive"),
            (b"dry,wet,Verst\xe4rkung\n", "not UTF-8 text (byte 13); save the file as UTF-8"),
            (b"<!DOCTYPE html>", "a web page"),
            (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ):
            with open(os.path.join(self.path, "pairs.csv"), "wb") as file:
                file.write(content)
            self.refused(cause)

    def test_recordings_that_were_cut_short_or_never_finished_are_named(self):
        self.pair()
        path = os.path.join(self.path, "wet.wav")
        with open(path, "rb") as file:
            content = file.read()
        with open(path, "wb") as file:
            file.write(content[:-1000])
        self.refused("wet.wav: is cut short: its header promises 64000 bytes of sound, 63000 are there")
        place = content.index(b"data") + 4
        with open(path, "wb") as file:
            file.write(content[:place] + bytes(4) + content[place + 4 :])
        self.refused("wet.wav: was never finished: its header says 0 s, and 64000 bytes follow")

    def test_another_clock_is_measured_refused_and_taken_out_when_asked(self):
        x = noise.pink(np.random.default_rng(5), 60 * RATE, -20.0)
        x = np.clip(signals.bursts(np.random.default_rng(6), RATE, 60.0, x) * 0.5, -0.9, 0.9)
        for ppm, late in ((50.0, 0.0), (-120.0, 31.4)):
            with self.subTest(ppm=ppm):
                self.pair(x, played_late(squashed(x), late, 1e-6 * ppm))
                said = self.refused(
                    "wet.wav: wet drifts away from dry by ", "recorded by another clock; --align resamples it"
                )
                self.assertAlmostEqual(float(said.split(" by ")[1].split(" ppm")[0]), ppm, delta=2.0)
                found = data.load(self.path, align=True)
                self.assertIn("and was resampled", found.notes[0])
                error, level = 0.0, 0.0
                for pair in found.pairs:
                    self.assertEqual(len(pair.dry), len(pair.wet))
                    self.assertIsNone(check.drift(pair.dry, pair.wet, RATE))
                    error += np.sum((squashed(pair.dry) - pair.wet) ** 2)
                    level += np.sum(pair.wet**2)
                self.assertLess(10.0 * np.log10(error / level), -20.0)

    def test_everything_wrong_with_a_table_is_said_at_once(self):
        self.pair(rows="dry.wav,wet.wav,loud\nnone.wav,wet.wav,1\ndry.wav,wet.wav\ndry.wav,wet.wav,nan\n")
        said = self.refused(
            "line 2: gain: loud is not a number",
            "line 3: none.wav: no such file",
            "line 4: has 2 fields and the header 3",
            "line 5: gain: nan is not a number",
        )
        self.assertEqual(len(said.splitlines()), 4)

    def test_a_header_that_lacks_or_repeats_columns(self):
        self.pair(header="dry,gain,gain\n")
        self.refused("column wet is missing", "column gain is there 2 times")

    def test_an_empty_table_and_a_folder_without_one(self):
        self.pair(header="", rows="")
        self.refused("names no pairs")
        self.pair(rows="")
        self.refused("names no pairs")
        os.unlink(os.path.join(self.path, "pairs.csv"))
        self.refused("holds neither pairs.csv")

    def test_a_knob_that_controls_json_names_has_no_column(self):
        self.pair()
        self.text("controls.json", json.dumps([{"name": "gain"}, {"name": "ratio"}]))
        self.refused("ratio has no column in pairs.csv")
        self.text("controls.json", json.dumps([{"name": "gain", "min": 0, "max": 10}]))
        self.refused("gain 30 lies outside 0..10")
        self.text("controls.json", "[1, 2")
        self.refused("controls.json: expected knobs with name")

    def test_rates_that_differ(self):
        self.pair()
        self.sound("wet.wav", music(), rate=2 * RATE)
        self.refused("is at 16000 Hz and the others at 8000 Hz")

    def test_lengths_that_differ_are_both_named(self):
        self.pair(wet=music()[:-100])
        said = self.refused("wet.wav: has 15900 samples", "dry.wav 16000", "100 samples (0.013 s) apart")
        self.assertEqual(len(said.splitlines()), 1)
        self.assertEqual(check.in_samples(1, 48000), "1 sample")

    def test_silent_clipped_and_not_finite_recordings_are_named_together(self):
        broken = music()
        broken[123] = np.nan
        self.sound("broken.wav", broken)
        self.sound("clipped.wav", np.clip(music() * 20.0, -1.0, 1.0))
        self.pair(
            wet=np.zeros(16000), rows="dry.wav,wet.wav,1\ndry.wav,broken.wav,2\ndry.wav,clipped.wav,3\n"
        )
        said = self.refused(
            "wet.wav: is silent",
            "broken.wav: 1 samples are NaN or infinite, the first at 123",
            "clipped.wav: clips",
        )
        self.assertEqual(len(said.splitlines()), 3)

    def test_two_channels_that_differ_and_a_file_that_is_no_sound(self):
        self.pair()
        self.sound("dry.wav", np.stack([music(), music(seed=2)], axis=1))
        self.text("wet.wav", "no sound")
        self.refused("has 2 channels that differ", "wet.wav: cannot be read as a sound file")

    def test_a_delay_that_all_pairs_share_is_measured_and_taken_out_when_asked(self):
        x = music(4.0)
        late = -squashed(np.concatenate([np.zeros(37, np.float32), x[:-37]]))
        self.pair(x, late)
        self.refused("wet lags 37 samples (4.62 ms) behind dry in all 1 pairs", "--align")
        found = data.load(self.path, align=True)
        np.testing.assert_allclose(found.pairs[0].wet, -squashed(found.pairs[0].dry), atol=1e-7)
        self.assertIn("37 samples", found.notes[0])

    def test_delays_that_differ_are_each_named(self):
        x = music(4.0)
        self.sound("early.wav", np.concatenate([x[20:], np.zeros(20, np.float32)]))
        self.pair(x, rows="dry.wav,wet.wav,1\ndry.wav,early.wav,2\n")
        self.refused("early.wav: wet lags -20 samples", align=True)


class Offset(unittest.TestCase):
    def test_compression_and_phase_of_a_device_are_no_offset(self):
        from gainstage_train.compressors import optical

        x = music(4.0, rate=48000)
        for peak in (0.0, 60.0, 100.0):
            self.assertIn(check.offset(x, optical.la2a(x, 48000, peak), 48000), (-1, 0, 1))

    def test_one_stretch_that_looks_late_does_not_make_a_recording_late(self):
        """A loud stretch of a tone under heavy compression looks 6 samples early, where everything else says
        0."""
        x = music(6.0 * check.EXCERPT / RATE)
        wet, loud = x.copy(), slice(3 * check.EXCERPT, 4 * check.EXCERPT)
        x[loud] *= 1.1
        wet[loud] = np.roll(x[loud], -6)
        self.assertEqual(check.offset_of_excerpt(x[loud], wet[loud], RATE), -6)
        self.assertEqual(check.offset(x, wet, RATE), 0)

    def test_what_cannot_be_compared_is_not_guessed(self):
        self.assertIsNone(check.offset(music(4.0, 1), music(4.0, 2), RATE))

    def test_a_single_loud_sample_is_not_clipping(self):
        x = music()
        x[[100, 500, 900, 901]] = 1.0
        self.assertEqual(check.of_sound("x", x), [])


if __name__ == "__main__":
    unittest.main()
