#!/usr/bin/python3
"""The trainable models: by plain loops over the same formulas, in pieces, without compiled loops, and their
gradients."""

import unittest
from unittest import mock

import support

support.need("numpy", "torch", "scipy", "numba")

import numpy as np  # noqa: E402
import torch  # noqa: E402

from gainstage_files import model_file  # noqa: E402
from gainstage_train.models import MODELS, build, cells, class_of, detach, ed_lstm, scans  # noqa: E402

import make_ed_lstm_fixtures  # noqa: E402
import make_fixtures  # noqa: E402
import make_recurrent_fixtures  # noqa: E402
import make_s4d_fixtures  # noqa: E402
import make_s6_fixtures  # noqa: E402
import make_tcn_fixtures  # noqa: E402

torch.set_num_threads(1)

RATE = 48000
CONTROLS = [
    model_file.control("peak_reduction", "", 0.0, 100.0, 70.0, 0.01),
    {**model_file.control("limit", "", 0.0, 1.0, 1.0), "steps": 2},
]
MOVES = [[0, "peak_reduction", 70.0, 0.0]]

# Small ones of every kind; the options that change an equation.
SMALL = [
    ("grey_box", {"makeup_units": 3}),
    ("grey_box", {"knee": "hard", "detector": "one_pole", "makeup": "static", "activation": "relu"}),
    ("grey_box", {"detector": "switching", "makeup": "rnn"}),
    ("grey_box", {"detector": "gru", "makeup": "gru", "makeup_units": 4}),
    ("s4d", {"channels": 4, "modes": 2, "blocks": 2}),
    (
        "s4d",
        {
            "channels": 3,
            "modes": 2,
            "blocks": 1,
            "product": False,
            "final_tanh": "tanh",
            "activation": "GELU",
        },
    ),
    ("s4d", {"channels": 3, "modes": 2, "blocks": 2, "decibels": True}),
    ("s6", {"inner": 4, "states": 3}),
    ("s6", {"inner": 4, "states": 3, "features": 2, "window": 16, "bins": 9, "rank": 2}),
    ("ed_lstm", {"window": 8, "units": 5, "dense": 4}),
    ("ed_lstm_carried", {"window": 8, "units": 6}),
    ("tcn", {"blocks": 2, "kernel": 3, "growth": 4, "channels": 3}),
    (
        "tcn",
        {"blocks": 2, "kernel": 3, "growth": 4, "channels": 3, "final_tanh": "tanh", "residual_delay": 1},
    ),
    ("lstm", {"units": 5, "skip": 1}),
    ("gru", {"units": 4, "final_tanh": "tanh"}),
]


def sound(samples, rows=2, seed=1):
    random = np.random.default_rng(seed)
    levels = np.repeat([0.05, 0.6, 0.02, 0.3], -(-samples // 4))[:samples]
    return torch.from_numpy((random.standard_normal((rows, samples)) * levels).astype(np.float32))


def shaken(name, options):
    torch.manual_seed(5)
    model = build(name, CONTROLS, RATE, **options).train()
    with torch.no_grad():
        model(sound(16000), torch.rand(2, 2))  # norms are measured
        for p in model.parameters():
            p += 0.03 * torch.randn_like(p)
    return model.eval()


def every_small_one():
    for name, options in SMALL:
        yield name, options, shaken(name, options)


def by_loop(model, x):
    """What the fixtures' float64 loop over the formulas plays of x [samples]; it shares nothing with the
    models."""
    w = {name: np.asarray(value) for name, value in model.tensors().items()}
    config, start = model.config(), 0
    if model.architecture == "ed_lstm":
        with mock.patch.object(make_ed_lstm_fixtures, "FRAMES", len(x)):
            late = make_ed_lstm_fixtures.play(w, CONTROLS, start, MOVES, x, model.carried)
        return np.concatenate([late[model.window :], np.full(model.window, np.nan)])
    loops = {
        "grey_box": make_fixtures,
        "s4d": make_s4d_fixtures,
        "s6": make_s6_fixtures,
        "tcn": make_tcn_fixtures,
        "lstm": make_recurrent_fixtures,
        "gru": make_recurrent_fixtures,
    }
    loop = loops[model.architecture]
    with mock.patch.multiple(loop, FRAMES=len(x), RATE=RATE):
        return loop.play(w, config, CONTROLS, start, MOVES, x)


class Models(unittest.TestCase):
    def test_they_are_their_formulas(self):
        """In double precision against independent loops. Measured: at most 3e-9, of TCN, whose norms are
        32-bit numbers."""
        x = sound(1600, 1)[0].numpy().astype(np.float64)
        for name, options, model in every_small_one():
            with self.subTest(name, **options), torch.no_grad():
                model.double()
                out, _ = model(torch.from_numpy(x)[None], model.conditioning({})[None].double())
                difference = np.abs(out[0].numpy() - by_loop(model, x))
                self.assertLess(np.nanmax(difference), 1e-8)

    def test_a_sound_in_pieces_is_the_sound_at_once(self):
        """Measured: at most 1e-6, of S4D, whose products are summed in another order."""
        x, knobs = sound(4000), torch.tensor([[0.2, 0.0], [0.9, 1.0]])
        for name, options, model in every_small_one():
            with self.subTest(name, **options), torch.no_grad():
                whole, _ = model.piece(x, knobs, None)
                pieces, state = [], None
                for part in x.split([8, 1600, 64, 2328], dim=1):
                    y, state = model(part, knobs, detach(state))
                    pieces.append(y)
                self.assertLess(float((torch.cat(pieces, 1) - whole).abs().max()), 1e-5)
                self.assertLess(float((model(x, knobs)[0] - whole).abs().max()), 1e-5)

    def test_without_compiled_loops_they_are_the_same(self):
        """As on a GPU: PyTorch's cells, scans parallel over time, FFT. Measured: at most 2e-6."""
        x, knobs = sound(800), torch.tensor([[0.2, 0.0], [0.9, 1.0]])
        for name, options, model in every_small_one():
            with self.subTest(name, **options), torch.no_grad():
                compiled, _ = model(x, knobs)
                with (
                    mock.patch.object(scans, "kernels", None),
                    mock.patch.object(cells, "kernels", None),
                    mock.patch.object(ed_lstm, "kernels", None),
                ):
                    plain, _ = model(x, knobs)
                self.assertLess(float((compiled - plain).abs().max()), 2e-5)

    def test_gradients_are_those_of_small_differences(self):
        """Along a direction by chance in all weights at once, through two pieces, in double precision."""
        x, knobs = sound(320).double(), torch.tensor([[0.2, 0.0], [0.9, 1.0]]).double()
        for name, options, model in every_small_one():
            with self.subTest(name, **options):
                model.double()
                weights = list(model.parameters())
                torch.manual_seed(2)
                direction = [torch.randn_like(w) for w in weights]

                def loss():
                    first, state = model(x[:, :128], knobs)
                    second, _ = model(x[:, 128:], knobs, state)
                    return (torch.cat([first, second], 1) - 0.5 * x).square().sum()

                def shifted(by):
                    with torch.no_grad():
                        for w, d in zip(weights, direction):
                            w += by * d
                        return float(loss())

                loss().backward()
                self.assertTrue(
                    all(
                        w.grad is not None and bool(torch.isfinite(w.grad).all())
                        for w in weights
                        if w.numel()
                    )
                )
                along = float(sum((w.grad * d).sum() for w, d in zip(weights, direction)))
                numeric = (
                    shifted(1e-7) - shifted(-2e-7)
                ) / 2e-7  # so small that few samples cross the corner of a PReLU
                self.assertLess(abs(along - numeric), 1e-3 * max(1.0, abs(numeric)))

    def test_every_weight_is_in_one_group(self):
        for name, options, model in every_small_one():
            grouped = [id(p) for group in model.groups(1e-3) for p in group["params"]]
            self.assertEqual(sorted(grouped), sorted(id(p) for p in model.parameters()), name)

    def test_the_recipes_fit_the_models(self):
        for name in MODELS:
            recipe, model = class_of(name).recipe, build(name, CONTROLS, RATE)
            self.assertEqual(
                set(recipe) - {"average_steps"},
                {"segment_samples", "batch", "warm_samples", "tbptt_samples", "rate", "loss"},
                name,
            )
            for key in ("tbptt_samples", "warm_samples"):
                self.assertEqual(recipe[key] % model.frame, 0, name)
            self.assertGreater(recipe["segment_samples"], recipe["warm_samples"] + recipe["tbptt_samples"])
            self.assertEqual(model.name, name)


class Memory(unittest.TestCase):
    def seconds(self, name, **options):
        torch.manual_seed(1)
        return build(name, CONTROLS, RATE, **options).memory_seconds()

    def test_a_convolution_forgets_after_its_receptive_field_and_a_window_after_two(self):
        self.assertAlmostEqual(self.seconds("tcn"), 13333 / RATE)
        self.assertAlmostEqual(self.seconds("ed_lstm"), 32 / RATE)

    def test_a_detector_forgets_over_a_dozen_of_its_time_constants(self):
        """0.2 s at the start, by the constant and by the cell that chooses one, from whichever state it
        comes."""
        self.assertAlmostEqual(
            self.seconds("grey_box", detector="switching", makeup="static"), 11.43 * 0.2, places=5
        )
        self.assertTrue(1.5 < self.seconds("grey_box", makeup="static") < 3.5)

    def test_a_state_that_is_carried_outlives_its_window(self):
        self.assertGreater(self.seconds("ed_lstm_carried"), 0.5)

    def test_recurrent_networks_forget_over_a_dozen_of_what_their_gates_keep(self):
        """Those start with up to 5000 samples, 0.1 s."""
        self.assertTrue(0.02 < self.seconds("gru", units=8) < 3.0)

    def test_state_spaces_forget_within_what_a_runtime_waits(self):
        self.assertTrue(0.0 < self.seconds("s6") <= 10.0)
        self.assertTrue(0.1 < self.seconds("s4d", blocks=1, dt=(1e-3, 0.1)) < 2.0)


class Start(unittest.TestCase):
    def test_an_untrained_model_plays_nearly_its_input(self):
        """So that training has not first to find out that there is a wire. (ED-LSTM has no path around its
        cells, and LSTM and GRU have one only with skip.)"""
        x = 0.01 * sound(24000, 2) / 0.3  # below the grey box's threshold
        for name, options in (
            ("grey_box", {}),
            ("s4d", {}),
            ("s6", {}),
            ("tcn", {}),
            ("lstm", {"skip": 1}),
            ("gru", {"skip": 1}),
        ):
            torch.manual_seed(1)
            model = build(name, CONTROLS, RATE, **options).train()
            with torch.no_grad():
                model(sound(24000), torch.rand(2, 2))
                y, _ = model.eval()(x, torch.rand(2, 2))
                error = y - y.mean() - x
            self.assertLess(float(error.square().sum() / x.square().sum()), 0.5, name)

    def test_it_can_begin_at_the_gain_of_the_data(self):
        x = sound(24000)
        for name in ("s4d", "s6", "tcn"):
            torch.manual_seed(1)
            model, knobs = build(name, CONTROLS, RATE).train(), torch.rand(2, 2)
            with torch.no_grad():
                before = model(x, knobs)[0]
                model.begin_from(x, 0.1 * x)
                self.assertLess(float((model(x, knobs)[0] - 0.1 * before).abs().max()), 1e-5, name)

    def test_silence_stays_silent_where_the_output_is_a_gain(self):
        for name in ("s4d", "s6"):
            model = shaken(name, {})
            with torch.no_grad():
                self.assertEqual(float(model(torch.zeros(1, 4800), torch.rand(1, 2))[0].abs().max()), 0.0)


if __name__ == "__main__":
    unittest.main()
