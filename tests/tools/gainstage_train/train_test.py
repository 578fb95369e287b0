#!/usr/bin/python3
"""The loop: its schedule, what it learns, and what an interruption or a loss gone wild leaves behind."""

import errno
import os
import unittest

import support

support.need("numpy", "torch", "scipy", "soundfile", "numba")

import numpy as np  # noqa: E402
import small  # noqa: E402
import torch  # noqa: E402
from small_training import Trained  # noqa: E402

from gainstage_train import checkpoint, earlier_models  # noqa: E402
from gainstage_train.baselines import by_setting, static_gain  # noqa: E402
from gainstage_train.schedule import Schedule, digest  # noqa: E402
from gainstage_files.problem import Problem  # noqa: E402
from gainstage_train.validation import Validation  # noqa: E402


class Judging(unittest.TestCase):
    def test_the_best_plain_gain_is_as_scores_have_it(self):
        data = small.dataset(30.0)
        schedule = Schedule.made(small.Curve.recipe)
        validation = Validation(small.Curve(small.CONTROLS, small.RATE), data, schedule, "cpu")
        groups = by_setting(data.of("validation")).values()
        expected = np.mean([static_gain(group).esr for group in groups])
        # over whole recordings there, over stretches of 2 s here, which leave some out
        self.assertAlmostEqual(validation.plain_gain(), expected, delta=0.1 * expected)


class Plans(unittest.TestCase):
    def made(self, **given):
        return Schedule.made({**small.Curve.recipe, "batch": 9, "unknown": 1}, **given)

    def test_the_command_line_overrules_the_recipe(self):
        schedule = self.made(batch=3, rate=None)
        self.assertEqual((schedule.batch, schedule.rate), (3, small.Curve.recipe["rate"]))

    def test_lengths_become_whole_pieces_of_whole_frames(self):
        for frame, longest in ((1, 10**6), (16, 10**6), (16, 5000), (64, 100), (7, 24000)):
            schedule = self.made()
            schedule.fit(frame, longest)
            self.assertEqual(schedule.warm_samples % frame, 0)
            self.assertEqual(schedule.tbptt_samples % frame, 0)
            self.assertEqual(schedule.body_samples % schedule.tbptt_samples, 0)
            self.assertGreater(schedule.body_samples, 0)
            self.assertLessEqual(schedule.body_samples, max(longest, frame))

    def test_what_could_not_work_is_said_before(self):
        data = small.dataset(2.0)
        short = self.made(tbptt_samples=1000, loss="mae+mr_stft")
        with self.assertRaisesRegex(Problem, "2048 samples.*1000"):
            short.check(data)
        data.pairs = data.of("train")
        with self.assertRaisesRegex(Problem, "validation"):
            self.made().check(data)

    def test_a_digest_changes_with_every_part_of_the_data(self):
        seen = {digest(small.dataset(2.0)), digest(small.dataset(3.0))}
        for change in (
            lambda p: p.wet.__setitem__(5, 0.5),
            lambda p: p.dry.__setitem__(5, 0.5),
            lambda p: p.knobs.update(amount=0.3),
            lambda p: setattr(p, "split", "test"),
        ):
            data = small.dataset(2.0)
            change(data.pairs[0])
            seen.add(digest(data))
        self.assertEqual(len(seen), 6)


class Loop(Trained):
    def test_it_learns_and_writes_whenever_it_is_better(self):
        training = self.training()
        self.assertEqual(training.run(), "3 epochs are over")
        history = [one["validation"] for one in training.at.history]
        # The curve that made the data is among those of the model but for the one-pole: 0.0125 at first, 2e-5
        # at the end.
        self.assertLess(history[-1], 0.05 * history[0])
        self.assertEqual(self.written, sorted(self.written, reverse=True))
        self.assertEqual(training.at.best, min(history))
        loss = training.loss(*training.validation.played())
        self.assertAlmostEqual(
            float(loss), training.at.best, delta=1e-9
        )  # the best weights are in the model at the end

    def test_the_same_seed_gives_the_same_weights_and_another_one_others(self):
        results = []
        for seed in (1, 1, 2):
            training = self.training(seed=seed, epochs=1)
            training.run()
            results.append(training.model.amount.weight.item())
        self.assertEqual(results[0], results[1])
        self.assertNotEqual(results[0], results[2])

    def test_without_improvement_it_ends(self):
        training = self.training(epochs=0, patience=3, rate=1e-30)
        self.assertEqual(training.run(), "no better in 3 validations")
        self.assertEqual(len(training.at.history), 4)

    def test_time_ends_it(self):
        training = self.training(epochs=0, minutes=1e-4)
        self.assertIn("minutes are over", training.run())

    def test_rates_fall_as_their_schedule_says(self):
        training = self.training(epochs=10)
        self.assertEqual(training.rate_share(), 1.0)
        training.at.epoch = 5
        self.assertAlmostEqual(training.rate_share(), 0.5 * (1 + 0.01))
        training.at.epoch = 10
        self.assertAlmostEqual(training.rate_share(), 0.01)
        flat = self.training(epochs=0, patience=10, rate=1e-30, decay="plateau")
        flat.run()
        self.assertEqual(flat.rate_share(), 0.5**5)  # after every second of ten validations in vain

    def test_a_loss_gone_wild_goes_back_to_the_best_weights_with_half_the_rate(self):
        training = self.training()
        learn, count = training._learn, [0]

        def spoilt(batch):
            count[0] += 1
            if count[0] == 5:
                with torch.no_grad():
                    training.model.amount.weight.fill_(float("nan"))
            learn(batch)

        training._learn = spoilt
        training.run()
        self.assertEqual((training.at.retreats, training.at.rate_factor), (1, 0.5))
        self.assertTrue(np.isfinite(training.at.best))
        self.assertTrue(any("back to the best" in line for line in self.said))

    def test_a_loss_that_stays_wild_is_given_up(self):
        training = self.training()
        training.loss = lambda output, target, power=None: output.sum() * float("nan")
        with self.assertRaisesRegex(Problem, "lower --rate"):
            training.run()

    def test_a_model_that_could_not_be_written_is_written_later(self):
        tries = []

        def write(model, at):
            tries.append(at.best)
            if len(tries) < 3:
                raise OSError(errno.ENOSPC, "No space left on device")

        training = self.training(write=write)
        training.run()
        self.assertGreaterEqual(len(tries), 3)
        self.assertFalse(training.unwritten)
        self.assertTrue(any("No space left" in line for line in self.said))

    def test_what_is_judged_and_written_is_the_mean_of_the_last_weights(self):
        written = []
        training = self.training(
            average_steps=4, write=lambda model, at: written.append(model.amount.bias.item())
        )
        states, follow = [], training.average.follow

        def noted(model):
            follow(model)
            states.append(model.amount.bias.item())

        training.average.follow = noted
        training.run()
        mean, means = states[0], {}
        for count, state in enumerate(states[1:], 1):
            mean += (state - mean) * max(1 / 4, 9 / (10 + count))
            means[round(mean, 6)] = count
        self.assertGreater(len(written), 2)
        for bias in written:
            self.assertIn(round(bias, 6), means)
            self.assertNotIn(bias, states)
        loss = training.loss(*training.validation.played())
        self.assertAlmostEqual(float(loss), training.at.best, delta=1e-9)
        self.assertEqual(training.model.amount.bias.item(), written[-1])

    def test_after_a_retreat_the_mean_begins_anew(self):
        training = self.training(average_steps=1000)
        training.run(lambda: True)
        with torch.no_grad():
            training.model.amount.bias.fill_(100.0)
        training.average.follow(training.model)
        training._retreat()
        self.assertTrue(torch.equal(training.judged.amount.bias, training.best["amount.bias"]))

    def test_interrupted_and_resumed_it_is_bit_for_bit_the_same(self):
        for average_steps in (0, 5):
            with self.subTest(average_steps=average_steps):
                self.interrupted_and_whole(average_steps)

    def interrupted_and_whole(self, average_steps):
        whole = self.grey_box(epochs=2, average_steps=average_steps)
        whole.run()
        os.unlink(checkpoint.path_of(self.output))
        reason, parts = None, 0
        while reason is None:
            part, count = self.grey_box(epochs=2, average_steps=average_steps), [0]
            self.assertEqual(part.resume(), parts > 0)

            def after_three():
                count[0] += 1
                return count[0] == 3

            reason, parts = part.run(after_three), parts + 1
        self.assertGreater(parts, 2)
        for name, tensor in whole.model.state_dict().items():
            self.assertTrue(torch.equal(tensor, part.model.state_dict()[name]), name)
        kept = [
            [{k: v for k, v in one.items() if k != "elapsed_s"} for one in run.at.history]
            for run in (whole, part)
        ]
        self.assertEqual(*kept)

    def test_what_is_no_better_takes_a_name_that_is_free(self):
        for expected in ("m-new.safetensors", "m-new-2.safetensors", "m-new-3.safetensors"):
            found = earlier_models.free_name(self.output)
            self.assertEqual(os.path.basename(found), expected)
            with open(found, "wb"):
                pass


if __name__ == "__main__":
    unittest.main()
