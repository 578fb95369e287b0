#!/usr/bin/python3
"""Losses against values worked by hand, and against the filters and transforms that they are defined by."""

import math
import unittest

import support

support.need("numpy", "torch", "scipy")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from scipy.signal import lfilter  # noqa: E402

from gainstage_train import losses  # noqa: E402
from gainstage_train.losses import LOSSES, Loss  # noqa: E402
from gainstage_files.problem import Problem  # noqa: E402


def rows(*values):
    return torch.tensor(values, dtype=torch.float64)


def noise(*shape, seed=1):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape) * 0.1)


class ByHand(unittest.TestCase):
    def near(self, value, expected):
        self.assertAlmostEqual(float(value), expected, delta=1e-6 * abs(expected) + 1e-12)

    def test_mae_and_mse(self):
        output, target = rows([1.0, 2.0, -1.0, 0.0]), rows([0.0, 2.0, 1.0, 0.5])
        self.near(losses.mae(output, target), (1 + 0 + 2 + 0.5) / 4)
        self.near(losses.mse(output, target), (1 + 0 + 4 + 0.25) / 4)

    def test_error_to_signal_ratio_pools_its_rows(self):
        output, target = rows([0.0, 0.0], [1.0, 3.0]), rows([0.0, 0.0], [2.0, 1.0])
        self.near(losses.esr_plain(output, target), (1 + 4) / (4 + 1))  # a silent row adds to neither sum
        self.near(losses.esr_plain(0.5 * target, target), 0.25)
        self.assertTrue(float(losses.esr_plain(target * 0, target * 0)) == 0)

    def test_a_piece_is_measured_by_the_power_of_its_whole_sound_where_that_is_given(self):
        output, target = rows([0.5, 0.0]), rows([0.0, 0.0])
        self.near(losses.esr_plain(output, target, power=2.0), 0.125 / 2.0)
        self.near(
            Loss("esr_plain+mae")(output, target, 2.0), 0.125 / 2.0 + 0.25
        )  # an absolute error stays one

    def test_pre_emphasis(self):
        # 1 - 0.85 z^-1: the error 1, 0 becomes 1, -0.85 and the target 0, 2 becomes 0, 2
        output, target = rows([1.0, 2.0]), rows([0.0, 2.0])
        self.near(losses.esr_pre(output, target), (1 + 0.85**2) / 4)

    def test_dc_is_of_each_row(self):
        output, target = rows([1.0, 1.0], [0.0, 0.0]), rows([0.0, 0.0], [2.0, 0.0])
        self.near(losses.dc(output, target), ((1 + 1) / 2) / (4 / 4))

    def test_short_time_energy(self):
        # Frames of 2 at hops of 2 of what the blocker leaves; it lets the first sample of a step through
        # whole.
        output, target = rows([0.0, 0.0, 0.0, 0.0]), rows([1.0, 0.0, 0.0, 0.0])
        blocked = [1.0, -0.005, -0.005 * 0.995, -0.005 * 0.995**2]
        energies = blocked[0] ** 2 + blocked[1] ** 2, blocked[2] ** 2 + blocked[3] ** 2
        self.near(losses.ste(output, target, 2, 2), sum(energies) / (2 * 2))

    def test_energies_of_many_resolutions_are_averaged_and_deaf_to_sign(self):
        output, target = noise(3, 300), noise(3, 300, seed=2)
        expected = np.mean([self.ste(output, target, *size) for size in ((8, 2), (16, 4), (32, 8), (64, 16))])
        self.near(losses.mste(output, target), expected)
        self.near(losses.mste(-target, target), 0.0)

    @staticmethod
    def ste(output, target, frame, hop):
        blocked = [lfilter([1, -1], [1, -0.995], sound.numpy()) for sound in (output, target)]
        differences = [
            abs(np.sum(blocked[1][row, at : at + frame] ** 2 - blocked[0][row, at : at + frame] ** 2)) / frame
            for row in range(len(output))
            for at in range(0, output.shape[1] - frame + 1, hop)
        ]
        return np.mean(differences)

    def test_spectra_of_a_sound_and_its_half(self):
        target = 100 * noise(2, 4096)  # no bin near the floor under the logarithm
        # |T| - |T/2| over |T| is a half at every bin; log T - log T/2 = log 2
        self.near(losses.mr_stft(0.5 * target, target), 0.5 + math.log(2))
        self.near(losses.mr_stft(-target, target), 0.0)

    def test_one_spectrum_by_the_plain_transform(self):
        output, target, (size, hop, window) = noise(1, 2000), noise(1, 2000, seed=2), (64, 16, 40)
        magnitudes = []
        for sound in (output, target):
            padded = np.pad(sound.numpy()[0], size // 2, mode="reflect")
            shape = np.zeros(size)
            shape[12:52] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
            frames = [padded[at : at + size] * shape for at in range(0, len(padded) - size + 1, hop)]
            magnitudes.append(np.maximum(np.abs(np.fft.rfft(frames)), 1e-4))
        convergence = np.linalg.norm(magnitudes[1] - magnitudes[0]) / np.linalg.norm(magnitudes[1])
        expected = convergence + np.mean(np.abs(np.log(magnitudes[1]) - np.log(magnitudes[0])))
        self.near(losses.stft(output, target, size, hop, window), expected)


class Filters(unittest.TestCase):
    def test_the_dc_blocker_is_equation_10(self):
        sound = noise(2, 9000)
        # 0.995^2000 = 4.4e-5 of the response's tail, which sums to as much, is cut off: 4.4e-5 * 0.4 is the
        # most
        np.testing.assert_allclose(
            losses.dc_block(sound).numpy(), lfilter([1, -1], [1, -0.995], sound.numpy()), atol=2e-5
        )
        held = torch.ones(1, 9000, dtype=torch.float64)
        self.assertLess(float(losses.dc_block(held)[0, -1].abs()), 1e-4)

    def test_sizes_of_transforms_are_not_too_short(self):
        for least in range(1, 5000, 7):
            self.assertTrue(least <= losses._fast_size(least) < 2 * least + 1)


class Gradients(unittest.TestCase):
    def test_of_every_loss_equal_differences(self):
        for name, function in LOSSES.items():
            with self.subTest(name):
                target = noise(2, 1200, seed=4)
                output = noise(2, 1200, seed=5).requires_grad_()
                function(output, target).backward()
                step = torch.zeros_like(target)
                step[1, 700], step[0, 300] = 1e-6, -2e-6
                with torch.no_grad():
                    change = (function(output + step, target) - function(output - step, target)) / 2
                self.assertAlmostEqual(
                    float(change), float((output.grad * step).sum()), delta=1e-4 * abs(float(change))
                )

    def test_of_silence_and_of_the_target_itself_are_finite(self):
        for name, function in LOSSES.items():
            for target in (torch.zeros(2, 3000), noise(2, 3000).float()):
                output = target.clone().requires_grad_()
                value = function(output, target)
                value.backward()
                self.assertTrue(torch.isfinite(value) and torch.isfinite(output.grad).all(), name)
                self.assertLess(float(value), 1e-6, name)


class Text(unittest.TestCase):
    def test_a_sum_of_losses(self):
        output, target = noise(2, 3000), noise(2, 3000, seed=2)
        both = Loss("mae + 0.5*mr-stft")
        self.assertEqual(both.text, "mae+0.5*mr_stft")
        self.assertEqual(both.shortest_samples, 2048)
        self.assertAlmostEqual(
            float(both(output, target)),
            float(losses.mae(output, target) + 0.5 * losses.mr_stft(output, target)),
        )

    def test_what_is_not_a_loss(self):
        for text in ("", "mea", "mae+", "0*mae", "-1*mae", "x*mae", "nan*mae", "mae*2"):
            with self.assertRaises(Problem) as refusal:
                Loss(text)
            self.assertEqual(refusal.exception.exit_code, 64)
            self.assertIn("esr", str(refusal.exception))


if __name__ == "__main__":
    unittest.main()
