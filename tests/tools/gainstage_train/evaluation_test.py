#!/usr/bin/python3
"""Metrics of many clips, what needs no training, the runtime beside the training code, and cards."""

import contextlib
import io
import json
import os
import tempfile
import unittest

import support

support.need("numpy", "torch", "scipy", "soundfile", "numba")

import numpy as np  # noqa: E402
import small  # noqa: E402
import torch  # noqa: E402

from gainstage_train import baselines, card, evaluate, evaluation, export, models, saved_model  # noqa: E402
from gainstage_train.data import write  # noqa: E402
from gainstage_files.problem import Problem  # noqa: E402
from gainstage_train.report import table  # noqa: E402
from gainstage_train.scores import Scores  # noqa: E402

torch.set_num_threads(1)


class Metrics(unittest.TestCase):
    def test_clips_are_added_up_as_if_they_were_one_recording(self):
        chance = np.random.default_rng(1)
        output, target = chance.normal(size=(2, 9000)) * 0.1
        whole = Scores().add(output, target)
        parts = Scores().add(output[:4000], target[:4000])
        parts += Scores().add(output[4000:], target[4000:])
        for name in ("mae", "mse", "esr_plain"):
            self.assertAlmostEqual(
                getattr(whole, name), getattr(parts, name), delta=1e-9 * getattr(whole, name)
            )
        self.assertAlmostEqual(whole.esr, parts.esr, delta=1e-3 * whole.esr)  # the DC blocker begins twice
        self.assertAlmostEqual(whole.mse, np.mean((output - target) ** 2))

    def test_clips_too_short_for_a_spectrum_have_none(self):
        scores = Scores().add(np.ones(500), np.ones(500))
        self.assertTrue(np.isnan(scores.mr_stft))
        self.assertEqual(scores.mae, 0.0)

    def test_the_loudest_error_is_found(self):
        data = small.dataset(3.0)
        pairs = data.of("test")
        model = small.Curve(small.CONTROLS, small.RATE)
        (_, output), *_ = [one for one in evaluation.play(model, pairs) if one[0] is pairs[0]]
        pairs[0].wet = output.copy()
        pairs[0].wet[20000] += 0.9
        row = evaluation.measure(model, data, ["test"])[0]
        self.assertEqual(row.worst[1:], (pairs[0].name, 20000 / small.RATE))
        self.assertAlmostEqual(row.worst[0], 0.9, places=6)


class Baselines(unittest.TestCase):
    def setUp(self):
        self.pairs = small.dataset(3.0).of("train")

    def test_a_plain_gain_is_found_and_has_no_error(self):
        for pair in self.pairs:
            pair.wet = (0.3 + pair.knobs["amount"]) * pair.dry
        self.assertLess(baselines.static_gain(self.pairs).esr, 1e-9)

    def test_the_gain_is_the_best_there_is(self):
        best = baselines.static_gain(self.pairs[:1]).esr
        for gain in np.linspace(0.1, 1.0, 60):
            self.assertLessEqual(
                best, Scores().add(gain * self.pairs[0].dry, self.pairs[0].wet, spectra=False).esr + 1e-9
            )

    def test_a_curve_without_memory_is_found_where_there_is_one(self):
        curve, gain = baselines.static_curve(self.pairs).esr, baselines.static_gain(self.pairs).esr
        self.assertLess(curve, 1e-4)
        self.assertGreater(gain, 20 * curve)

    def test_the_sign_of_a_difference_costs_all_of_it(self):
        chance = np.random.default_rng(1)
        self.pairs[0].wet = chance.normal(size=len(self.pairs[0].dry)).astype(np.float32) * 0.1
        self.assertGreater(baselines.static_curve(self.pairs[:1]).esr, 0.9)  # noise has no curve


class Playing(unittest.TestCase):
    def test_clips_of_any_length_come_back_whole(self):
        model = small.Curve(small.CONTROLS, small.RATE)
        model.frame = 7
        pairs = small.dataset(3.0).pairs
        pairs[0].dry, pairs[0].wet = pairs[0].dry[:20011], pairs[0].wet[:20011]
        seen = []
        for pair, output in evaluation.play(model, pairs):
            alone, _ = model(torch.from_numpy(pair.dry)[None], model.conditioning(pair.knobs)[None])
            np.testing.assert_allclose(output, alone.detach().numpy()[0], atol=1e-7)
            seen.append(pair.name)
        self.assertEqual(sorted(seen), sorted(pair.name for pair in pairs))


class Reading(unittest.TestCase):
    SETTINGS = (
        ("grey_box", {}),
        ("grey_box", {"detector": "switching", "makeup": "static"}),
        ("s4d", {"channels": 6, "blocks": 2}),
        ("s6", {"features": 2}),
        ("ed_lstm", {"units": 8}),
        ("ed_lstm_carried", {"units": 8}),
        ("tcn", {"channels": 4, "blocks": 2}),
        ("lstm", {"units": 4}),
        ("gru", {"units": 4}),
    )

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = os.path.join(folder.name, "m.safetensors")

    def test_a_model_of_any_family_comes_back_from_its_file_bit_for_bit(self):
        for name, settings in self.SETTINGS:
            with self.subTest(name, **settings):
                torch.manual_seed(1)
                model = models.build(name, small.CONTROLS, small.RATE, **settings)
                with torch.no_grad():
                    model(0.1 * torch.randn(2, 32768), torch.rand(2, 1))  # what is measured once
                    for parameter in model.parameters():
                        parameter.add_(0.01 * torch.randn_like(parameter))
                export.quickly(model.eval(), self.file, training={"model": name, "settings": settings})
                again = saved_model.from_file(self.file)
                sound, knobs = 0.1 * torch.randn(2, 4096), torch.rand(2, 1)
                with torch.no_grad():
                    # tau_s is rounded on its way through a logarithm
                    self.assertTrue(
                        torch.allclose(model(sound, knobs)[0], again(sound, knobs)[0], rtol=0, atol=1e-6)
                    )

    def test_a_file_that_was_not_trained_here_or_is_damaged_is_refused(self):
        model = models.build("gru", small.CONTROLS, small.RATE, units=4)
        for training in (
            {},
            {"model": "gru"},
            {"model": "grew", "settings": {}},
            {"model": "gru", "settings": {"unit": 4}},
            {"model": "gru", "settings": {"units": 5}},
            {"model": "grey_box", "settings": {}},
        ):
            export.quickly(model, self.file, training=training)
            with self.assertRaises(Problem) as refusal:
                saved_model.from_file(self.file)
            self.assertIn(self.file, str(refusal.exception))
        export.quickly(model, self.file, training={"model": "gru", "settings": {"units": 4}})
        with open(self.file, "rb") as file:
            whole = file.read()
        for damaged in (b"", whole[:5], whole[:90], whole[:-9], b"\xff" * 300):
            with open(self.file, "wb") as file:
                file.write(damaged)
            with self.assertRaises(Problem):
                saved_model.from_file(self.file)


class Files(unittest.TestCase):
    """A model file, its data set in a folder, the runtime."""

    @classmethod
    def setUpClass(cls):
        cls.keep = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.keep.cleanup)
        cls.folder = cls.keep.name
        cls.file, cls.data = os.path.join(cls.folder, "m.safetensors"), os.path.join(cls.folder, "data")
        torch.manual_seed(1)
        cls.model = models.build("grey_box", small.CONTROLS, small.RATE, detector_units=3)
        story = {
            "model": "grey_box",
            "settings": {"detector_units": 3},
            "title": "a toy",
            "data": "1 min",
            "machine": "1 core",
            "loss": "esr",
            "epochs": 1.5,
            "validations": 3,
            "minutes": 0.1,
            "validation_loss": 0.1,
            "validation_esr": 0.1,
            "seed": 7,
            "limit_minutes": 1,
            "date": "2026-01-01",
        }
        export.quickly(cls.model, cls.file, training=story, license="CC0-1.0")
        data = small.dataset(6.0)
        write.folder(cls.data, data.pairs, data.controls, data.sample_rate, data.source)

    def run_it(self, main, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(list(arguments))
        return code, out.getvalue(), err.getvalue()

    @unittest.skipUnless(os.access(support.GAINSTAGE, os.X_OK), "build/gainstage is not built")
    def test_the_runtime_renders_what_the_training_code_says(self):
        code, out, err = self.run_it(
            evaluate.main, self.file, "--data", self.data, "--through", support.GAINSTAGE, "--json"
        )
        self.assertEqual(code, 0, err)
        rows = json.loads(out)["rows"]
        self.assertEqual([row["knobs"] for row in rows], [{"amount": 0.2}, {"amount": 0.8}])
        for row in rows:
            # Both in 32 bits by other roads, and twice rounded to a file.
            self.assertLess(row["largest_difference"], 1e-5)
            for name, value in row["model"].items():
                self.assertAlmostEqual(row["through"][name], value, delta=1e-4 * abs(value) + 1e-9, msg=name)

    def test_a_table_shows_every_setting_and_all_together(self):
        code, out, _ = self.run_it(evaluate.main, self.file, "--data", self.data, "--split", "validation")
        self.assertEqual(code, 0)
        self.assertEqual(
            [line.split("  ")[0] for line in out.split("\n")[1:5]], ["split"] + 3 * ["validation"]
        )
        self.assertIn("mean of settings", out)
        self.assertIn("as one recording", out)

    def test_what_cannot_be_evaluated(self):
        absent = os.path.join(self.folder, "absent.safetensors")
        for code, arguments in (
            (66, (absent, "--data", self.data)),
            (66, (self.file, "--data", absent)),
            (65, (self.file, "--data", self.data, "--split", "unseen")),
            (65, (__file__, "--data", self.data)),
            (69, (self.file, "--data", self.data, "--device", "cuda:77")),
        ):
            got, _, err = self.run_it(evaluate.main, *arguments)
            self.assertEqual(got, code, err)
            self.assertTrue(err.startswith("error: "), err)

    def test_a_card_says_what_was_measured_and_keeps_what_somebody_heard(self):
        path = card.path_of(self.file)
        code, out, err = self.run_it(card.main, self.file, "--data", self.data)
        self.assertEqual((code, out.strip()), (0, path), err)
        with open(path, encoding="utf-8") as file:
            first = file.read()
        for part in (
            "It imitates a toy.",
            "CC0-1.0",
            "`amount` 0..1",
            "1.5 epochs",
            "amount 0.8",
            "--seed 7",
            card.SILENT,
        ):
            self.assertIn(part, first)
        with open(path, "w", encoding="utf-8") as file:
            file.write(first.replace(card.SILENT, "Like *velvet*.\n\nAnd late."))
        self.run_it(card.main, self.file, "--data", self.data)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), first.replace(card.SILENT, "Like *velvet*.\n\nAnd late."))

    def test_a_table_of_nothing_is_its_heads(self):
        self.assertEqual(len(table([]).split("\n")), 1)


if __name__ == "__main__":
    unittest.main()
