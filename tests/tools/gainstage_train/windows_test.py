#!/usr/bin/python3
"""The windows that a training draws from recordings."""

import unittest

import support

support.need("numpy", "torch", "scipy", "soundfile", "numba")

import numpy as np  # noqa: E402
import small  # noqa: E402
import torch  # noqa: E402

from gainstage_train.windows import Windows, batches, pieces, play  # noqa: E402

torch.set_num_threads(1)


def counting(*lengths):
    """Pairs whose dry samples say where they are: 1000 times the pair and one more for every sample."""
    return [
        small.Pair(
            f"{k}",
            np.arange(n, dtype=np.float32) + 1 + 1000 * k,
            -np.arange(n, dtype=np.float32),
            {"amount": float(k)},
            "train",
        )
        for k, n in enumerate(lengths)
    ]


def conditioning(knobs):
    return torch.tensor([knobs["amount"]])


class Streams(unittest.TestCase):
    def test_windows_are_drawn_from_the_whole_recording_and_never_overlap(self):
        windows = Windows(counting(1000, 330), conditioning, body=100, warm=20)
        self.assertEqual(len(windows), 10 + 3)
        heard = set()
        for epoch in range(300):
            seen = set()
            for index, end in windows.epoch(1, epoch):
                self.assertTrue(100 <= end <= len(windows.pairs[index].dry))
                seen |= {(index, at) for at in range(end - 100, end)}
            self.assertEqual(len(seen), 1300)
            heard |= seen
        self.assertEqual(len(heard), 1330)

    def test_order_and_grid_follow_from_seed_and_epoch(self):
        windows = Windows(counting(1000, 330), conditioning, body=100, warm=20)
        self.assertEqual(windows.epoch(1, 3), windows.epoch(1, 3))
        self.assertNotEqual(windows.epoch(1, 3), windows.epoch(1, 4))
        self.assertNotEqual(windows.epoch(1, 3), windows.epoch(2, 3))

    def test_a_batch_holds_each_window_behind_its_own_past(self):
        windows = Windows(counting(1000, 330), conditioning, body=100, warm=20)
        batch = windows.batch([(1, 230), (0, 1000)])
        self.assertEqual(batch.counts.tolist(), [[1.0], [1.0]])
        np.testing.assert_array_equal(batch.dry[0], np.arange(110, 230) + 1001)
        np.testing.assert_array_equal(batch.wet[1], -np.arange(880, 1000))
        self.assertEqual(batch.knobs.tolist(), [[1.0], [0.0]])

    def test_before_a_recording_is_silence_which_does_not_count(self):
        windows = Windows(counting(60), conditioning, body=100, warm=20)
        batch = windows.batch(windows.epoch(1, 0))
        np.testing.assert_array_equal(batch.dry[0], [*np.zeros(60), *(np.arange(60) + 1)])
        np.testing.assert_array_equal(batch.counts[0], [*np.zeros(60), *np.ones(60)])

    def test_settings_are_brought_to_one_level_and_recordings_of_one_setting_keep_their_own(self):
        chance = np.random.default_rng(1)
        pairs = [
            small.Pair(
                f"{k}",
                np.zeros(9000, np.float32),
                (level * chance.normal(size=9000)).astype(np.float32),
                {"amount": knob},
                "train",
            )
            for k, (level, knob) in enumerate(((0.3, 0.1), (0.1, 0.1), (0.003, 0.2), (1e-9, 0.3)))
        ]
        scales = Windows(pairs, conditioning, 100, 20, balanced=True).scales
        self.assertEqual(scales[0], scales[1])
        # the DC blocker takes 0.25 % of white noise away; 9000 samples of it are some more per cent off
        self.assertAlmostEqual(scales[0], 0.1 / np.sqrt((0.3**2 + 0.1**2) / 2), delta=0.03 * scales[0])
        self.assertAlmostEqual(scales[2], 0.1 / 0.003, delta=0.03 * scales[2])
        self.assertEqual(scales[3], 1000.0)  # what is silent stays silent

    def test_what_is_balanced_is_what_is_compared(self):
        model = small.Curve(small.CONTROLS, small.RATE)
        windows = Windows(small.dataset(2.0).of("train"), model.conditioning, 24000, 2400, balanced=True)
        for places in ([(0, 40000), (1, 50000)], [(0, 20000), (1, 50000)]):
            batch = windows.batch(places)
            (output, target), *_ = pieces(model, batch, 24000)
            whole, _ = model(batch.dry, batch.knobs)
            scale = torch.tensor(windows.scales)[:, None]
            inside = torch.arange(-26400 + 2400, 0)[None] + torch.tensor([[end] for _, end in places]) >= 0
            self.assertTrue(torch.allclose(output, whole[:, 2400:] * scale * inside))
            self.assertTrue(torch.allclose(target, batch.wet[:, 2400:] * scale * inside))

    def test_batches_differ_by_one_window_at_most(self):
        for count in range(1, 60):
            sizes = [len(part) for part in batches(list(range(count)), 8)]
            self.assertEqual(sum(sizes), count)
            self.assertLessEqual(max(sizes), 8)
            self.assertLessEqual(max(sizes) - min(sizes), 1)

    def test_pieces_carry_the_state_and_cut_the_gradient(self):
        model = small.Curve(small.CONTROLS, small.RATE)
        data = small.dataset(2.0).of("train")
        batch = Windows(data, model.conditioning, 24000, 2400).batch([(0, 40000), (1, 50000)])
        output, target = play(model, batch, 5000)
        whole, _ = model(batch.dry, batch.knobs)
        self.assertTrue(torch.equal(output, whole[:, 2400:]))
        self.assertTrue(torch.equal(target, batch.wet[:, 2400:]))
        for output, _ in pieces(
            model, batch, 5000
        ):  # fails where a graph reaches into the piece before, freed by then
            output.sum().backward()


if __name__ == "__main__":
    unittest.main()
