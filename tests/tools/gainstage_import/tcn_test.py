#!/usr/bin/python3
"""The importers of tcn, lstm and gru: what they make of checkpoints in the published layouts, and what they
refuse."""

import contextlib
import io
import json
import os
import tempfile
import unittest

from importing import np

from gainstage_import import __main__ as import_model
import torch_files
from gainstage_import import gru, lstm, tcn
from gainstage_files.problem import Problem
from gainstage_import.take import Take


def random(*shape):
    return np.random.default_rng(1).normal(0, 0.3, shape)


def micro_tcn(blocks=3, channels=4, taps=5, knobs=2, grouped=False):
    """A state dict as micro-tcn's code names it; no number in it matters."""
    out = {}
    for place, (a, b) in zip((0, 2, 4), ((knobs, 16), (16, 32), (32, 32))) if knobs else ():
        out[f"gen.{place}.weight"], out[f"gen.{place}.bias"] = random(b, a), random(b)
    inputs = 1
    for n in range(blocks):
        p = f"blocks.{n}."
        out[p + "conv1.weight"] = random(channels, 1 if grouped and n else inputs, taps)
        if grouped:
            out[p + "conv1b.weight"], out[p + "conv1b.bias"] = random(channels, channels, 1), random(channels)
        norm = p + ("film.bn." if knobs else "bn.")
        out[norm + "running_mean"], out[norm + "running_var"] = random(channels), np.ones(channels)
        out[norm + "num_batches_tracked"] = np.array(7.0)
        if knobs:
            out[p + "film.adaptor.weight"], out[p + "film.adaptor.bias"] = random(2 * channels, 32), random(
                2 * channels
            )
        else:
            out[norm + "weight"], out[norm + "bias"] = np.full(channels, 2.0), np.full(channels, 3.0)
        out[p + "relu.weight"], out[p + "res.weight"] = random(channels), random(channels, 1, 1)
        inputs = channels
    return {**out, "output.weight": random(1, channels, 1), "output.bias": random(1)}


def steerable():
    """As steerable-nafx names it: convolutions with bias, raw controls, one slope, whole residuals, one last
    channel."""
    out, inputs = {}, 1
    for n, channels in enumerate((4, 4, 1)):
        p = f"blocks.{n}."
        out.update(
            {
                p + "conv1.weight": random(channels, inputs, 9),
                p + "conv1.bias": random(channels),
                p + "film.adaptor.weight": random(2 * channels, 2),
                p + "film.adaptor.bias": random(2 * channels),
                p + "relu.weight": random(1),
                p + "res.weight": random(channels, inputs, 1),
            }
        )
        inputs = channels
    return out


def as_json(tensors, **config):
    """The re-training's JSON of a micro-tcn state dict."""

    def layer(prefix, **others):
        return {
            **{n[len(prefix) :]: v.tolist() for n, v in tensors.items() if n.startswith(prefix) and v.ndim},
            **others,
        }

    blocks = sum(1 for n in tensors if n.endswith("conv1.weight"))
    return {
        "version": 1,
        "arch": "direct",
        "config": {"dilation_growth": 3, "causal": True, "sample_rate": 48000, **config},
        "gen": [layer(f"gen.{p}.") for p in (0, 2, 4)],
        "blocks": [
            {
                "conv1": layer(f"blocks.{n}.conv1.", dilation=3**n, bias=None),
                "bn": layer(f"blocks.{n}.film.bn.", eps=1e-5),
                "adaptor": layer(f"blocks.{n}.film.adaptor."),
                "prelu": layer(f"blocks.{n}.relu."),
                "res": layer(f"blocks.{n}.res.", bias=None),
            }
            for n in range(blocks)
        ],
        "output": layer("output."),
    }


def network(cells="lstm.", output="linear.", gates=4, units=6, inputs=3, layers=1):
    out = {output + "weight": random(1, units), output + "bias": random(1)}
    for n in range(layers):
        shapes = {
            "weight_ih": (gates * units, units if n else inputs),
            "weight_hh": (gates * units, units),
            "bias_ih": (gates * units,),
            "bias_hh": (gates * units,),
        }
        out.update({f"{cells}{name}_l{n}": random(*shape) for name, shape in shapes.items()})
    return out


def defaults(family, **config):
    return {**{key: choices[0] for key, choices in family.CONFIG.items()}, **config}


def convert(family, tensors, **config):
    take = Take(tensors)
    return (*family.convert(take, family.CONTROLS(take), defaults(family, **config), 44100), take)


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def run_it(self, family, checkpoint, facts=None):
        """-> exit code, what was said"""
        arguments = [family, checkpoint, "-o", self.path("m.safetensors")]
        if facts is not None:
            arguments += ["--config", self.path("facts.json", json.dumps(facts))]
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            return import_model.main(arguments), said.getvalue()


class Tcn(Folder):
    def test_a_state_dict_says_its_sizes(self):
        tensors, config, _, inferred, sizes, take = convert(tcn, micro_tcn())
        self.assertEqual(inferred, {"blocks": 3, "channels": 4, "taps": 5})
        self.assertEqual(sizes, {"receptive_field": 445, "memory_samples": 445, "latency_samples": 0})
        self.assertEqual(config["residual_delay"], 1)
        self.assertEqual(tensors["blocks.1.residual.weight"].shape, (4, 1))
        self.assertEqual(take.left, set())  # batches are counted by nobody
        self.assertEqual([c["name"] for c in tcn.CONTROLS(take)], ["limit", "peak_reduction"])

    def test_one_that_looks_ahead_declares_it(self):
        _, config, _, _, sizes, _ = convert(tcn, micro_tcn(taps=4), causal=False, dilation_growth=2)
        self.assertEqual(sizes, {"receptive_field": 22, "memory_samples": 22, "latency_samples": 11})
        self.assertEqual(config["residual_delay"], 0)

    def test_published_variants(self):
        tensors, *_, take = convert(tcn, micro_tcn(grouped=True))
        self.assertEqual((tensors["blocks.1.conv.weight"].shape, take.left), ((4, 1, 5), set()))
        tensors, *_, take = convert(tcn, micro_tcn(knobs=0))
        self.assertEqual(
            (tensors["blocks.0.film.bias"].tolist(), tcn.CONTROLS(take)), ([2.0] * 4 + [3.0] * 4, [])
        )
        tensors, *_, take = convert(tcn, steerable())
        self.assertEqual(len(tcn.CONTROLS(take)), 2)
        self.assertEqual(tensors["blocks.1.residual.weight"].shape, (4, 4))
        self.assertEqual(tensors["blocks.0.conv.bias"].shape, (4,))

    def test_what_is_missing_misshapen_or_not_finite_is_refused_by_name(self):
        good = micro_tcn()
        for name in good:
            if name.endswith("num_batches_tracked"):
                continue
            spoilt = [
                {**good, name: np.full(good[name].shape, np.nan)},
                {**good, name: np.zeros((7, 3, 2, 2))},
            ]
            if "gen" not in name and not name.endswith("running_mean"):  # without those it is another network
                spoilt.append({n: t for n, t in good.items() if n != name})
            for tensors in spoilt:
                with self.assertRaises(Problem) as refusal:
                    convert(tcn, tensors)
                self.assertIn(name, str(refusal.exception))

    def test_absurd_sizes_are_refused(self):
        for config in ({"dilation_growth": 1024}, {"dilation_growth": 900}):
            with self.assertRaises(Problem) as refusal:
                convert(tcn, micro_tcn(blocks=4), **config)
            self.assertIn("dilation_growth", str(refusal.exception))
        with self.assertRaises(Problem) as refusal:
            convert(tcn, {**micro_tcn(), "blocks.9999.conv1.weight": random(4, 4, 5)})
        self.assertIn("at most 32 blocks", str(refusal.exception))

    def test_json_is_what_its_state_dict_is(self):
        path = self.path("m.json", json.dumps(as_json(micro_tcn())))
        tensors, facts = tcn.load(path)
        self.assertEqual(facts["dilation_growth"], 3)
        self.assertEqual(facts["sample_rate"], 48000)
        expected = {n: t for n, t in micro_tcn().items() if t.ndim}
        self.assertEqual(set(tensors), set(expected))
        for name, tensor in expected.items():
            np.testing.assert_array_equal(tensors[name], tensor)
        code, said = self.run_it("tcn", path)
        self.assertEqual(code, 0, said)
        self.assertIn("dilation_growth: 3, as the checkpoint says", said)

    def test_bad_json_is_refused_and_nothing_written(self):
        good = as_json(micro_tcn())
        ragged = as_json(micro_tcn())
        ragged["output"]["weight"] = [[1.0], [1.0, 2.0]]
        words = as_json(micro_tcn())
        words["output"]["weight"] = [[["loud"]]]
        dilated = as_json(micro_tcn())
        dilated["blocks"][1]["conv1"]["dilation"] = 7
        whole = json.dumps(good)
        for text in (
            whole[: len(whole) // 2],
            "{}",
            "{" * 10000,
            json.dumps({**good, "blocks": 3}),
            json.dumps({**good, "arch": "hybrid"}),
            json.dumps({**good, "blocks": [{}]}),
            json.dumps(ragged),
            json.dumps(words),
            json.dumps(dilated),
            whole.replace("0.", "1e999", 1),
        ):
            code, said = self.run_it("tcn", self.path("m.json", text))
            self.assertEqual(code, 65, text[:80])
            self.assertTrue(said.splitlines()[-1].startswith("error: "), said)
            self.assertFalse(os.path.exists(self.path("m.safetensors")))

    def test_facts_are_checked(self):
        path = self.path("m.json", json.dumps(as_json(micro_tcn())))
        self.assertEqual(
            self.run_it("tcn", path, {"dilation_growth": 2, "start": "zeros", "residual_delay": 0})[0], 0
        )
        for facts in (
            {"dilation_growth": 0},
            {"dilation_growth": "2"},
            {"causal": 1},
            {"residual_delay": 2},
            {"start": "loud"},
        ):
            code, said = self.run_it("tcn", path, facts)
            self.assertEqual(code, 65)
            self.assertIn(next(iter(facts)), said)

    def test_a_lightning_checkpoint_says_how_it_was_built(self):
        content = {
            "state_dict": {**micro_tcn(), "stft.window": random(8)},
            "hyper_parameters": {"dilation_growth": 2, "causal": False, "lr": 1e-3},
        }
        torch_files.write(self.path("m.ckpt"), torch_files.archive_of(content))
        code, said = self.run_it("tcn", self.path("m.ckpt"))
        self.assertEqual(code, 0, said)
        self.assertIn("causal: False, as the checkpoint says", said)
        self.assertNotIn("stft", said)


class Recurrent(Folder):
    def test_names_tell_the_knobs(self):
        self.assertEqual([c["name"] for c in lstm.CONTROLS(Take(network()))], ["limit", "peak_reduction"])
        self.assertEqual(
            gru.CONTROLS(Take(network("rec.", "lin.", 3, inputs=2)))[0]["to_model"],
            {"scale": 0.02, "offset": -1.0},
        )
        self.assertEqual(lstm.CONTROLS(Take(network("rec.", "lin.", 4, inputs=1))), [])
        self.assertEqual(len(lstm.CONTROLS(Take(network("rec.", "lin.", 4, inputs=4)))), 3)

    def test_what_is_missing_misshapen_or_not_finite_is_refused_by_name(self):
        for family, good in ((lstm, network(layers=2)), (gru, network("rec.", "lin.", 3, inputs=2))):
            for name in good:
                spoilt = [
                    {**good, name: np.full(good[name].shape, np.nan)},
                    {**good, name: np.zeros((7, 3, 2, 2))},
                ]
                if (
                    not name.endswith("lin.bias")
                    and not name.endswith("linear.bias")
                    and not name.endswith("hh_l0")
                ):
                    spoilt.append({n: t for n, t in good.items() if n != name})
                for tensors in spoilt:
                    with self.assertRaises(Problem) as refusal:
                        convert(family, tensors)
                    self.assertIn(name, str(refusal.exception))

    def test_other_networks_are_refused(self):
        for family, tensors, part in (
            (gru, network("rec.", "lin.", 4), "(3 units, units)"),
            (lstm, {**network(), "lstm.weight_ih_l0_reverse": random(2, 2)}, "backwards"),
            (lstm, {"weight": random(3)}, "no recurrent network"),
            (lstm, {**network(), "lstm.weight_ih_l9999": random(2, 2)}, "at most 8 layers"),
        ):
            with self.assertRaises(Problem) as refusal:
                take = Take(tensors)
                family.convert(take, [{}, {}], defaults(family), 44100)
            self.assertIn(part, str(refusal.exception))

    def test_the_json_of_amplifier_models_is_read(self):
        content = {
            "model_data": {
                "model": "SimpleRNN",
                "input_size": 2,
                "skip": 1,
                "output_size": 1,
                "unit_type": "LSTM",
                "num_layers": 1,
                "hidden_size": 6,
                "bias_fl": True,
            },
            "state_dict": {n: t.tolist() for n, t in network("rec.", "lin.", inputs=2).items()},
        }
        path = self.path("m.json", json.dumps(content))
        tensors, facts = lstm.load(path)
        self.assertEqual((facts["skip"], facts["final_tanh"], len(facts["controls"])), (1, "none", 1))
        np.testing.assert_array_equal(
            tensors["rec.weight_hh_l0"], network("rec.", "lin.", inputs=2)["rec.weight_hh_l0"]
        )
        for spoilt in (
            {**content, "state_dict": 3},
            {**content, "model_data": {"unit_type": "GRU"}},
            {**content, "model_data": {"unit_type": "LSTM", "input_size": 1000}},
        ):
            code, said = self.run_it("lstm", self.path("bad.json", json.dumps(spoilt)))
            self.assertEqual(code, 65, said)
        self.assertFalse(os.path.exists(self.path("m.safetensors")))

    def test_memory_is_measured(self):
        tensors, _, forgets_s, _, _ = convert(lstm, network())
        self.assertTrue(0.0 < forgets_s < 0.1, forgets_s)
        latching = network("rec.", "lin.", 3, units=1, inputs=1)
        latching["rec.bias_ih_l0"] = np.array([0.0, 40.0, 0.0])  # z = 1: keeps what it has for ever
        latching["rec.weight_ih_l0"] = np.array([[0.0], [-80.0], [3.0]])
        self.assertEqual(convert(gru, latching)[2], 10.0)


if __name__ == "__main__":
    unittest.main()
