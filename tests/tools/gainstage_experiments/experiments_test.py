#!/usr/bin/python3
"""The papers' experiments: what is read from weights, what is stored and not repeated, what goes on, and the
page."""

import contextlib
import io
import json
import os
import tempfile
import unittest
from unittest import mock

import support

support.need("numpy", "torch", "scipy", "soundfile", "numba")

import numpy as np  # noqa: E402
import small  # noqa: E402
import torch  # noqa: E402

from gainstage_train import models, saved_model  # noqa: E402
from gainstage_train.compressors import digital  # noqa: E402
from gainstage_train.data import generate  # noqa: E402
from gainstage_train.data.pairs import Dataset, Pair  # noqa: E402
from gainstage_experiments import __main__ as command  # noqa: E402
from gainstage_experiments import (  # noqa: E402
    ablation,
    density,
    families,
    page,
    shipped,
    step,
    tables,
    tones,
    toy,
)
from gainstage_experiments.bench import Bench, Interrupted  # noqa: E402
from gainstage_experiments.store import Store  # noqa: E402
from gainstage_experiments.trial import Trial  # noqa: E402
from gainstage_files.problem import Problem  # noqa: E402

torch.set_num_threads(1)
RATE = 48000
EPOCHS = 4  # of the short training


def toy_data(seconds):
    """The toy's device at all its settings, without noise."""
    device = generate.toy_device()
    pairs = [
        Pair(f"{split}-{n}", dry, device.play(dry, RATE, **knobs), knobs, split)
        for split, seed, length in (("train", 100, seconds), ("validation", 200, seconds / 4))
        for n, knobs in enumerate(device.trained)
        for dry in [small.bursts(length, seed + n)]
    ]
    return Dataset(pairs, device.controls, RATE, "notes made for a test, CC0")


class Toy(unittest.TestCase):
    def test_constants_are_read_from_the_weights(self):
        model = models.build("grey_box", generate.toy_device().controls, RATE, **toy.MODEL)
        with torch.no_grad():
            model.log_tau.copy_(torch.log(torch.tensor([0.02, 0.05])))
            model.curve[-1].weight.zero_()
            model.curve[-1].bias.copy_(torch.logit(torch.tensor([20 / 80, 3 / 30, 1 / 30])))
        found = toy.recovered(model)
        self.assertAlmostEqual(found["attack_ms"], 20.0, places=4)
        self.assertAlmostEqual(found["release_ms"], 50.0, places=4)
        self.assertEqual(len(found["curves"]), 16)
        for one in found["curves"]:
            self.assertAlmostEqual(one["found_threshold"], -20.0, places=4)
            self.assertAlmostEqual(one["found_ratio"], 4.0, places=4)
        errors = toy.errors(found)
        self.assertAlmostEqual(errors["threshold_db"], 10.0, places=4)
        self.assertAlmostEqual(errors["ratio_to_4"], 1.0, places=4)  # 4 where 2 is true
        self.assertAlmostEqual(errors["ratio_above"], 0.5, places=4)  # 4 where 8 is true
        self.assertEqual(toy.reached(found), ["threshold_db", "ratio_to_4", "ratio_above"])

    def test_a_wide_start_bends_more_and_says_the_same(self):
        def started(wide):
            torch.manual_seed(1)
            model = models.build(
                "grey_box", generate.toy_device().controls, RATE, **{**toy.MODEL, "knee": "hard"}
            )
            toy.start(model, toy.HARD, wide)
            return model

        def bend(model):
            """The largest second difference of the units along the ratio."""
            ratio = torch.linspace(0, 1, 101)
            with torch.no_grad():
                units = model.curve[:4](torch.stack([torch.full_like(ratio, 0.5), ratio], dim=1))
            return float((units[2:] - 2 * units[1:-1] + units[:-2]).abs().max())

        narrow, wide = started(1.0), started(toy.WIDE)
        self.assertGreater(bend(wide), 10 * bend(narrow))  # measured: 98 times
        for model in (narrow, wide):
            for one in toy.recovered(model)["curves"]:
                self.assertAlmostEqual(one["found_threshold"], -30.0, delta=1.5)
                self.assertAlmostEqual(one["found_ratio"], 3.0, delta=0.3)

    def test_a_short_training_comes_near_the_true_constants(self):
        with tempfile.TemporaryDirectory() as folder:
            trial = Trial("toy-short", {}, None, epochs=EPOCHS)
            recipe = {**toy.RECIPE, "segment_samples": 48000, "warm_samples": 6000, "rate": 2e-2}
            model, facts = Bench(folder, folder, say=lambda text: None).trained(
                trial,
                "grey_box",
                toy.MODEL,
                toy_data(8.0),
                recipe,
                prepare=lambda model: toy.start(model, toy.KNEE_DB, 1.0),
            )
        found = toy.errors(toy.recovered(model))
        self.assertEqual(facts["epochs"], EPOCHS)
        # Measured: 0.0007, 0.9 ms, 2.5 ms, 1.6 dB; at the start, a plain gain's 0.08 and 15 ms, 150 ms, 15
        # dB.
        self.assertLess(facts["validation_esr"], 0.005)
        self.assertLess(found["attack_ms"], 3.0)
        self.assertLess(found["release_ms"], 8.0)
        self.assertLess(found["threshold_db"], 4.0)


class Storing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.store = Store(self.folder)

    def test_a_run_is_there_where_its_plan_is_and_it_learned_as_long(self):
        trial = Trial("toy-a", {"rate": 0.1, "stages": (1, 2)}, None, minutes=2.0)
        self.assertFalse(self.store.holds(trial))
        self.store.write(trial, {"esr": 0.5})
        self.assertTrue(self.store.holds(trial))
        self.assertTrue(self.store.holds(Trial("toy-a", trial.plan, None, minutes=1.0)))
        self.assertFalse(self.store.holds(Trial("toy-a", trial.plan, None, minutes=3.0)))
        self.assertFalse(self.store.holds(Trial("toy-a", {**trial.plan, "rate": 0.2}, None, minutes=2.0)))
        self.assertFalse(self.store.holds(Trial("toy-a", trial.plan, None, epochs=2)))
        self.assertEqual(self.store.results("toy")["a"]["result"], {"esr": 0.5})
        self.assertEqual(self.store.results("step"), {})

    def test_a_damaged_result_is_named(self):
        with open(os.path.join(self.folder, "toy-a.json"), "w", encoding="utf-8") as file:
            file.write('{"plan": {}')
        with self.assertRaisesRegex(Problem, "toy-a.json: is no result; remove it"):
            self.store.results("toy")

    def test_the_scale_shortens_minutes_and_epochs(self):
        trial = Trial("toy-a", {}, None, minutes=6.0, epochs=20).shortened(0.01)
        self.assertEqual(trial.asked(), {"minutes": 0.06, "epochs": 1})

    def test_an_interrupted_training_goes_on_and_ends_as_if_nothing_had_happened(self):
        data, trial = small.dataset(4.0), Trial("toy-b", {}, None, epochs=2)
        recipe = {"segment_samples": 24000, "warm_samples": 2400, "tbptt_samples": 7200, "batch": 2}

        def trained(folder, interrupted=lambda: False, **other):
            bench = Bench(
                os.path.join(self.folder, folder), self.folder, say=lambda text: None, interrupted=interrupted
            )
            return bench, bench.trained(trial, "grey_box", toy.MODEL, data, {**recipe, **other})

        _, (whole, facts) = trained("whole")
        for other in (
            {"rate": 1e-4},
            {},
        ):  # the second finds what was interrupted, learned otherwise, and begins anew
            with self.assertRaises(Interrupted):
                trained("parts", iter([False, True]).__next__, **other)
        bench, (again, more) = trained("parts")
        self.assertEqual(more["steps"], facts["steps"])
        for name, tensor in whole.state_dict().items():
            self.assertTrue(torch.equal(tensor, again.state_dict()[name]), name)
        bench.forget(trial)
        self.assertEqual(os.listdir(os.path.join(self.folder, "parts")), ["toy-b.safetensors"])


class Step(unittest.TestCase):
    def test_times_of_a_gain_that_is_known(self):
        at = step.bounds()
        gain = np.zeros(at[-1])
        loud = np.arange(at[4] - at[1]) / step.HERTZ
        gain[at[1] : at[4]] = -12.0 * (1 - np.exp(-loud / 0.040))
        gain[at[4] :] = -12.0 * np.exp(-np.arange(at[5] - at[4]) / step.HERTZ / 0.200)
        found = step.times(gain)
        self.assertAlmostEqual(found["attack_ms"], 40, delta=1)
        self.assertAlmostEqual(found["half_release_ms"], 200 * np.log(2), delta=1)
        self.assertAlmostEqual(found["most_release_ms"], 200 * np.log(10), delta=1)
        self.assertEqual(step.errors(gain + 0.5, gain), {"gain_error_db": 0.5, "release_error_db": 0.5})

    def test_the_gain_is_that_of_the_tone_whatever_else_sounds(self):
        dry = step.stimulus()
        time = np.arange(len(dry)) / RATE
        wet = 0.5 * dry + 0.1 * dry**2 + 0.05 + 0.01 * np.sin(2 * np.pi * 3000 * time)
        far = (
            np.abs(np.arange(step.bounds()[-1])[:, None] - step.bounds()[1:-1]).min(1) >= step.PERIODS
        )  # from the steps
        np.testing.assert_allclose(step.gain_db(dry, wet)[far], 20 * np.log10(0.5), atol=0.01)

    def test_the_digital_compressor_steps_as_its_constants_say(self):
        wet = digital.compress(step.stimulus(), RATE, -20.0, 4.0, 20.0, 200.0)
        found = step.times(step.gain_db(step.stimulus(), wet))
        self.assertAlmostEqual(found["at_rest_db"], 0.0, delta=0.01)
        self.assertLess(found["attack_ms"], 30)  # 20 ms of a level that swings with the tone
        self.assertAlmostEqual(found["half_release_ms"], 200 * np.log(2), delta=3)


def entry(result, **plan):
    return {"plan": plan, "asked": {"minutes": 1.0, "epochs": 0}, "result": result}


class Tones(unittest.TestCase):
    def test_gain_and_harmonics_are_those_that_were_put_in(self):
        dry = tones.tone(-20.0)
        at = 2 * np.pi * tones.HERTZ * np.arange(len(dry)) / RATE
        wet = (
            0.25 * (np.sin(at) + 0.03 * np.sin(3 * at + 1.0) + 0.04 * np.cos(5 * at)) + 0.1
        )  # and a direct voltage
        found = tones.heard(dry, wet)
        self.assertAlmostEqual(found["gain_db"], 20 * np.log10(2.5), places=4)
        self.assertAlmostEqual(found["harmonics_percent"], 5.0, places=4)
        self.assertEqual(found["loudest"], 5)

    def test_silence_is_what_is_left_of_it(self):
        self.assertAlmostEqual(tones.level_of_silence(np.full(RATE, 0.001)), -60.0, places=4)
        self.assertEqual(tones.level_of_silence(np.zeros(RATE)), tones.LEAST_DB)

    def test_release_is_how_long_the_gain_takes_to_come_back(self):
        def play(sound, knob):
            gain_db = np.full(len(sound), -20.0)
            after = np.arange(len(sound) - RATE) / RATE
            gain_db[RATE:] = -20.0 * np.exp(-after / 0.200)
            return sound * 10 ** (gain_db / 20)

        half, most = tones.release(play)
        self.assertAlmostEqual(half, 200 * np.log(2), delta=step.PERIODS)
        self.assertAlmostEqual(most, 200 * np.log(10), delta=step.PERIODS)

    def test_the_device_leaves_quiet_alone_and_turns_loud_down(self):
        found = tones.of_device(None, None)
        for one in found["peak_reduction"]:
            gains = [tone["gain_db"] for tone in one["tones"]]
            self.assertLess(abs(gains[0]), 0.3)  # -60 dBFS; measured: 0.12
            self.assertLess(gains[-1], gains[0] - 6.0)
        self.assertLess(max(found["silence_db"]), -120.0)
        self.assertLess(
            found["release_ms"][0], 0.1 * found["release_ms"][1]
        )  # a fast first stage, a slow second one


FACTS = {
    "minutes": 1.0,
    "epochs": 2.0,
    "steps": 3,
    "validation_esr": 0.1,
    "machine": "1 core",
    "loss": "esr",
    "description": "a model: small",
    "parameters": 5,
    "operations": 7.0,
}


def scores(esr, settings=()):
    return {
        "esr": esr,
        "mae": esr / 10,
        "mse": esr / 100,
        "dc": 0.0,
        "mr_stft": 0.5,
        "mste": 1e-4,
        "gain": 0.5,
        "curve": 0.4,
        "settings": list(settings),
    }


class Page(unittest.TestCase):
    """Every section from results as they are stored."""

    def test_families_rank_beside_the_papers_and_shipped_ones_come_first(self):
        results = {
            name: entry({**FACTS, "test": scores(error), "unseen": scores(2 * error)})
            for name, error in (
                ("gru-8", 0.05),
                ("gru-32", 0.02),
                ("grey-1", 0.09),
                ("s6", 0.03),
                ("s4d", 0.04),
            )
        }
        results["shipped-opto-s6"] = entry(
            {
                **FACTS,
                "shipped": "opto-s6.safetensors",
                "model": "s6",
                "settings": {"channels": 8},
                "test": scores(0.01),
                "unseen": scores(0.02),
            }
        )
        text = families.section(results)
        self.assertIn("| S6 | `opto-s6.safetensors` |", text)
        self.assertNotIn("| S6 | made for this table |", text)
        self.assertIn("| *best static gain* | 0.5 |", text)
        self.assertIn("All 3 pairs rank as there.", text)  # GRU 32, GRU 8, grey box 1
        self.assertIn("Here, by ESR: S6 0.01, S4D 0.04. It ranks as there.", text)

    def test_what_a_shipped_model_took_is_all_of_its_training(self):
        story = {"minutes": 24.1, "minutes_before": 25.1, "epochs": 2.0, "model": "gru", "settings": {}}
        with mock.patch.object(saved_model, "read", return_value=({"training": json.dumps(story)}, {})):
            found = shipped.facts("models/some.safetensors")
        self.assertEqual(found["minutes"], 49.2)
        self.assertEqual(found["shipped"], "some.safetensors")

    def test_a_row_is_named_by_the_kind_of_model(self):
        names = [
            shipped.row_name("x", {"description": text})
            for text in ("GRU of 32 units, final tanh: none", "S4D: 6 blocks, PReLU")
        ]
        self.assertEqual(names, ["GRU of 32 units (`x`)", "S4D (`x`)"])

    def test_tones_of_every_level_have_a_cell(self):
        def result(play):
            return entry({"description": "GRU of 8 units, skip: 0", **tones.answers(play)})

        text = tones.section(
            {"device": result(lambda sound, knob: sound), "some": result(lambda sound, knob: 0.5 * sound)}
        )
        self.assertIn("| GRU of 8 units (`some`) | -6.0 dB, 0", text)
        self.assertEqual(text.count("| **the device** | 0.0 dB, 0"), len(tones.KNOBS))
        self.assertEqual(text.count("| nothing | nothing |"), 2)

    def test_density_says_which_corner_is_hardest(self):
        corners = [
            [knobs, 0.4 if (knobs["attack_ms"], knobs["release_s"]) == (0.5, 3.0) else 0.1]
            for knobs in density.CORNERS
        ]
        found = (("corners", 0.3), ("coarse", 0.2), ("fine", 0.1))
        results = {
            name: entry(
                {**FACTS, "trained_settings": 16, "between": scores(error), "corners": scores(0.2, corners)},
                kind="leveling",
                density=name,
                heard="GRU 8",
            )
            for name, error in found
        }
        text = density.section(results)
        self.assertIn(
            "corners 0.3, coarse 0.2, fine 0.1: better with every step, as the S6 paper finds.", text
        )
        self.assertIn("Here it is so for 3 of 3 models.", text)

    def test_ablation_groups_share_the_base(self):
        results = {
            key: entry({**FACTS, "test": scores(error)})
            for key, error in (
                ("base", 0.1),
                ("product_false", 0.2),
                ("final_tanh_tanh", 0.15),
                ("product_false-final_tanh_tanh", 0.3),
            )
        }
        text = ablation.section(results)
        self.assertIn("| no product, no tanh | 0.2 |", text)
        self.assertNotIn("channels", text)  # nothing to compare the base with
        self.assertIn("with the product better than without. Here so", text)

    def test_words_have_a_place_for_every_experiment(self):
        with open(os.path.join(command.HERE, page.WORDS), encoding="utf-8") as file:
            words = file.read()
        text = page.text(
            words, {experiment: {} for experiment in (toy, families, density, ablation, step, tones)}
        )
        self.assertEqual(text.count("Not run yet."), 6)
        with self.assertRaises(ValueError):
            page.text(words, {toy: {}})

    def test_tenths_have_no_minus_before_a_zero(self):
        self.assertEqual(
            [tables.tenths(value) for value in (-0.04, 0.0, -0.06, -10.04, 3.0)],
            ["0.0", "0.0", "-0.1", "-10.0", "3.0"],
        )

    def test_rankings_are_compared_pair_by_pair(self):
        self.assertEqual(
            tables.compared({"a": 1, "b": 2, "c": 3}, {"a": 5, "b": 6, "c": 7}), "All 3 pairs rank as there."
        )
        self.assertEqual(
            tables.compared({"a": 1, "b": 3, "c": 2}, {"a": 5, "b": 6, "c": 7}),
            "Of 3 pairs 2 rank as there; the other way round: c before b.",
        )


class Command(unittest.TestCase):
    def run_command(self, *arguments):
        with (
            contextlib.redirect_stderr(io.StringIO()) as said,
            contextlib.redirect_stdout(io.StringIO()) as out,
        ):
            try:
                code = command.main([*arguments])
            except SystemExit as end:
                code = end.code
        return code, said.getvalue() + out.getvalue()

    def test_the_device_s_own_step_is_run_once_and_the_page_written(self):
        with tempfile.TemporaryDirectory() as folder:
            where = [
                "--results",
                folder,
                "--work",
                folder,
                "--models",
                os.path.join(folder, "none"),
                "--threads",
                "1",
            ]
            code, said = self.run_command("step", *where)
            self.assertEqual(code, 0, said)
            with open(os.path.join(folder, "step-device.json"), encoding="utf-8") as file:
                found = json.load(file)["result"]["peak_reduction"]
            self.assertEqual([one["knob"] for one in found], list(step.KNOBS))
            self.assertGreater(found[2]["at_rest_db"] - found[2]["at_work_db"], 20.0)  # measured: 41
            with open(os.path.join(folder, "RESULTS.md"), encoding="utf-8") as file:
                self.assertIn("# The papers' experiments", file.read())
            code, said = self.run_command("step", *where)
            self.assertIn("1 runs, 1 of them there already", said)

    def test_a_wrong_name_is_said(self):
        code, said = self.run_command("toys")
        self.assertEqual(code, 64)
        self.assertIn("toys: expected toy, families, density, ablation, step, tones", said)
        code, said = self.run_command("toy-nothing", "--list")
        self.assertEqual(code, 64)
        self.assertIn("toy-nothing: there is no such run", said)


if __name__ == "__main__":
    unittest.main(argv=["experiments_test"])
