#!/usr/bin/python3
"""Processes that share the work: the same gradients as one alone, and nothing left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import support

support.need("numpy", "torch", "scipy", "soundfile", "numba")

import small  # noqa: E402
import torch  # noqa: E402

from gainstage_train import models  # noqa: E402
from gainstage_train.data_parallel import DataParallel  # noqa: E402
from gainstage_train.losses import Loss  # noqa: E402
from gainstage_train.schedule import Schedule  # noqa: E402
from gainstage_files.problem import Problem  # noqa: E402
from gainstage_train.windows import Windows  # noqa: E402
from gainstage_train.train import Training  # noqa: E402

torch.set_num_threads(1)
PIECE = 4000


def grey_box():
    torch.manual_seed(2)
    return models.build("grey_box", small.CONTROLS, small.RATE, detector_units=2, makeup_units=2, hidden=[4])


def is_running(pid):
    """A process that has ended may be listed until somebody asks for its exit code."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def with_tests():
    """-> an environment in which Python finds this file, too"""
    folders = [os.path.dirname(os.path.abspath(__file__)), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))}


class Gradients(unittest.TestCase):
    def setUp(self):
        self.data = small.dataset(6.0)

    def shares(self, model, processes, loss="esr", first=False):
        windows = Windows(self.data.of("train"), model.conditioning, 3 * PIECE, PIECE, balanced=True)
        shares = DataParallel(model, windows, Loss(loss), PIECE, processes, first=first)
        self.addCleanup(shares.close)
        return shares

    def heard(self, processes, rows, loss="esr"):
        """-> the losses of a batch's pieces, and all gradients after each"""
        losses, gradients = [], []
        with contextlib.closing(self.shares(grey_box(), processes, loss)) as shares:
            for value in shares.gradients(shares.windows.epoch(1, 0)[:rows]):
                losses.append(value)
                gradients.append(torch.cat([parameter.grad.flatten() for parameter in shares.parameters]))
        return losses, gradients

    def test_shared_out_they_are_those_of_one_process(self):
        for loss in ("esr", "mae+0.5*dc"):
            for rows in (1, 5, 8):
                alone, expected = self.heard(1, rows, loss)
                self.assertEqual(len(alone), 3)
                for processes in (2, 3):
                    with self.subTest(loss=loss, rows=rows, processes=processes):
                        losses, gradients = self.heard(processes, rows, loss)
                        for one, other in zip(alone, losses):
                            # measured: 1.8e-7 of the loss, 1.1e-6 of the gradient's norm: sums of floats in another order
                            self.assertAlmostEqual(one, other, delta=1e-6 * one)
                        for one, other in zip(expected, gradients):
                            self.assertLess(float((one - other).norm()), 5e-6 * float(one.norm()))

    def test_others_see_the_weights_as_they_are_now(self):
        shares, alone = self.shares(grey_box(), 2), self.shares(grey_box(), 1)
        places = shares.windows.epoch(1, 0)[:4]
        for mine, expected in zip(shares.gradients(places), alone.gradients(places)):
            self.assertAlmostEqual(mine, expected, delta=1e-6 * expected)
            with torch.no_grad():
                for one in (shares, alone):
                    for parameter in one.parameters:
                        parameter *= 0.9

    def test_left_in_the_middle_the_next_batch_is_whole(self):
        expected = self.heard(3, 6)[0]
        shares = self.shares(grey_box(), 3)
        places = shares.windows.epoch(1, 0)[:6]
        with contextlib.closing(shares.gradients(places)) as left:
            next(left)
        self.assertEqual(list(shares.gradients(places)), expected)

    def test_the_first_batch_is_heard_here_alone_for_a_model_measures_on_it(self):
        alone, shared = self.heard(1, 4)[0], self.heard(2, 4)[0]
        shares = self.shares(grey_box(), 2, first=True)
        places = shares.windows.epoch(1, 0)[:4]
        self.assertEqual(list(shares.gradients(places)), alone)
        self.assertEqual(list(shares.gradients(places)), shared)

    def test_signals_that_go_to_all_leave_them_to_the_first_process_and_its_end_is_theirs(self):
        program = (
            "import os, signal; import data_parallel_test as t; g = t.Gradients(); g.setUp()\n"
            "s = g.shares(t.grey_box(), 2); places = s.windows.epoch(1, 0)[:4]; p = s.others[0]\n"
            "signal.signal(signal.SIGTERM, lambda *_: None)\n"
            "list(s.gradients(places)); os.kill(p.pid, signal.SIGTERM); os.kill(p.pid, signal.SIGINT)\n"
            "print(len(list(s.gradients(places))), p.is_alive())"
        )
        ended = subprocess.run(
            [sys.executable, "-c", program],
            env=with_tests(),
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.assertEqual((ended.stdout, ended.returncode), ("3 True\n", 0), ended.stderr)

    def test_if_the_first_is_killed_before_they_meet_the_others_end_and_leave_nothing(self):
        program = """
import os, signal
import data_parallel_test as t
meet = t.DataParallel._meet
def killed(self, rank, folder):
    if rank == 0:
        print(self.others[0].pid, folder, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return meet(self, rank, folder)
t.DataParallel._meet = killed
g = t.Gradients()
g.setUp()
g.shares(t.grey_box(), 2)
"""
        ended = subprocess.run(
            [sys.executable, "-c", program], env=with_tests(), capture_output=True, text=True, timeout=300
        )
        self.assertEqual(ended.returncode, -signal.SIGKILL, ended.stderr)
        pid, folder = ended.stdout.split()
        end = time.monotonic() + 60
        while os.path.exists(folder) or is_running(pid):
            self.assertLess(time.monotonic(), end, f"{folder} or process {pid} is left")
            time.sleep(0.02)

    def test_one_that_was_killed_is_said_and_the_rest_end(self):
        shares = self.shares(grey_box(), 3)
        processes = list(shares.others)
        os.kill(processes[0].pid, signal.SIGKILL)
        with self.assertRaisesRegex(
            Problem,
            r"rank 1 \(process [0-9]+\) has ended, killed by SIGKILL \(was memory short\?\); the same command",
        ):
            list(shares.gradients(shares.windows.epoch(1, 0)[:6]))
        shares.close()
        self.assertFalse(any(process.is_alive() for process in processes))


class Loop(unittest.TestCase):
    def training(self, folder, processes, **given):
        model = grey_box()
        schedule = Schedule.made(
            model.recipe,
            **{
                "epochs": 2,
                "segment_samples": 24000,
                "warm_samples": 4000,
                "tbptt_samples": PIECE,
                "batch": 4,
                **given,
            },
        )
        schedule.fit(model.frame, 6 * small.RATE)
        return Training(
            model,
            small.dataset(6.0),
            schedule,
            os.path.join(folder, "m.safetensors"),
            schedule.identity(),
            lambda *_: None,
            lambda _: None,
            processes=processes,
        )

    def test_it_learns_as_one_does_and_is_bit_for_bit_the_same_again(self):
        results = []
        with tempfile.TemporaryDirectory() as folder:
            for processes in (1, 2, 2):
                training = self.training(folder, processes)
                training.run()
                self.assertEqual(training.shared.others, [])
                results.append([one["validation"] for one in training.at.history])
        self.assertEqual(results[1], results[2])
        for alone, shared in zip(*results[:2]):
            self.assertAlmostEqual(alone, shared, delta=2e-6 * alone)  # measured: 1.4e-7

    def test_interrupted_and_resumed_it_is_bit_for_bit_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            whole = self.training(folder, 2)
            whole.run()
        with tempfile.TemporaryDirectory() as folder:
            part, count = self.training(folder, 2), []
            self.assertIsNone(part.run(lambda: count.append(0) or len(count) == 3))
            part = self.training(folder, 2)
            self.assertTrue(part.resume())
            part.run()
        for name, tensor in whole.model.state_dict().items():
            self.assertTrue(torch.equal(tensor, part.model.state_dict()[name]), name)


if __name__ == "__main__":
    unittest.main()
