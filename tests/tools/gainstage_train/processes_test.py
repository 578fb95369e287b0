#!/usr/bin/python3
"""python3 -m gainstage_train in several processes: started apart, by torchrun and by --processes; what happens when one differs,
dies or is interrupted.

GAINSTAGE_LONG_TESTS=1 runs the tests, too, that repeat whole trainings."""

import glob
import importlib.util
import multiprocessing
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

# One thread for each process, and no warnings about the addresses that gloo tries.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", TORCH_CPP_LOG_LEVEL="ERROR")

import support  # noqa: E402

support.need("numpy", "torch", "scipy", "soundfile", "numba")

import small  # noqa: E402
import torch  # noqa: E402
from command_test import squeezed, tensors_of  # noqa: E402

from gainstage_files.problem import Problem  # noqa: E402
from gainstage_train import __main__ as command, processes  # noqa: E402
from gainstage_train.data import write  # noqa: E402

PATIENCE_S = 200.0  # on a loaded machine
HERE = "127.0.0.1"
SMALL = "--set units=2 --batch 8 --segment 0.6 --warm 0.1 --step 0.1 --device cpu".split()
DEBIAN_12 = ["--redirects", "1", "--tee", "1"]  # PyTorch 1.13 fails without them under Python 3.11
LONG = "GAINSTAGE_LONG_TESTS"
long = unittest.skipUnless(os.environ.get(LONG), f"takes long; {LONG}=1 runs it")

# To load PyTorch takes seconds of a core. This server loads it once, and each command is a fork of it.
LOADED = multiprocessing.get_context("forkserver")
LOADED.set_forkserver_preload(
    [
        "gainstage_train.run",
        "gainstage_train.data.folder",
        "gainstage_train.compressors.digital",
        "small",
        "unittest.mock",
    ]
)


def free_port():
    with socket.create_server((HERE, 0)) as listener:
        return listener.getsockname()[1]


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def variables(rank, port, size=2):
    return {"RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": HERE, "MASTER_PORT": str(port)}


class Command:
    """A running python3 -m gainstage_train, in a session of its own."""

    def __init__(self, folder, arguments, environment):
        self.out, self.err = (tempfile.NamedTemporaryFile(dir=folder, delete=False).name for _ in range(2))
        self.process = LOADED.Process(target=self.run, args=(self.out, self.err, arguments, environment))
        self.process.start()
        self.pid = self.process.pid

    @staticmethod
    def run(out, err, arguments, environment):
        os.setsid()
        os.environ.update(environment)
        for path, descriptor in ((out, 1), (err, 2)):
            os.dup2(os.open(path, os.O_WRONLY), descriptor)
        sys.argv[1:] = arguments
        command.program()

    def runs(self):
        return self.process.exitcode is None

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self):
        """-> (exit code, standard output, standard error)"""
        self.process.join(PATIENCE_S)
        return self.process.exitcode, *(
            pathlib.Path(path).read_text("utf-8") for path in (self.out, self.err)
        )


class Program:
    """The same of any program, loaded from the disk."""

    def __init__(self, arguments, environment):
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.pid = self.process.pid

    def runs(self):
        return self.process.poll() is None

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self):
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err


class Several(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        keep = tempfile.TemporaryDirectory()
        cls.addClassCleanup(keep.cleanup)
        cls.folder = keep.name
        cls.data, cls.other_data = cls.path("data"), cls.path("other")
        for folder, seconds in ((cls.data, 6.0), (cls.other_data, 5.5)):
            data = small.dataset(seconds, device=squeezed)
            write.folder(folder, data.pairs, data.controls, data.sample_rate, data.source)
        cls.whole = cls.path("whole.safetensors")
        cls.check_end(Command(cls.folder, cls.arguments(cls.whole, "--epochs", "6", "--processes", "2"), {}))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def arguments(cls, output, *more, data=None):
        return ["gru", "--data", data or cls.data, "-o", output, *SMALL, *more]

    def start(self, output, *more, data=None, **environment):
        return self.cared_for(Command(self.folder, self.arguments(output, *more, data=data), environment))

    def start_ranks(self, output, *more, size=2):
        port = free_port()
        return [self.start(output, *more, **variables(rank, port, size)) for rank in range(size)]

    def cared_for(self, process):
        """Ends with the test, even if that fails."""
        self.addCleanup(lambda: process.runs() and (process.signal(signal.SIGKILL), process.wait()))
        return process

    @staticmethod
    def check_end(process, code=0):
        """-> what it said"""
        ended, out, err = process.wait()
        assert (ended, out) == (code, ""), f"{ended}: {out}{err}"
        assert "Traceback" not in err, err
        return err

    def wait_for_checkpoint(self, process, output):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and process.runs():
            if os.path.exists(output + ".training"):
                return
            time.sleep(0.02)
        self.fail(f"no checkpoint; {'still runs' if process.runs() else process.wait()}")

    # -------------------------------------------------------------------------------- started apart

    def test_two_that_meet_over_tcp_learn_what_the_short_way_learns(self):
        output, unused, port = (
            self.path("apart.safetensors"),
            self.path("nobody-writes-this.safetensors"),
            free_port(),
        )
        second, first = (
            self.cared_for(
                Program(
                    ["-m", "gainstage_train", *self.arguments(path, "--epochs", "6")], variables(rank, port)
                )
            )
            for rank, path in ((1, unused), (0, output))
        )
        self.assertEqual(self.check_end(second), "")
        self.assertIn("done: 6 epochs are over", self.check_end(first))
        self.assertEqual(tensors_of(output), tensors_of(self.whole))
        self.assertEqual(glob.glob(unused + "*"), [])
        with open(self.path("apart.md"), encoding="utf-8") as card:
            self.assertIn("--processes 2", card.read())

    def test_one_that_is_killed_is_named_and_the_same_commands_go_on(self):
        output = self.path("killed.safetensors")
        ranks = self.start_ranks(output, "--epochs", "6")
        self.wait_for_checkpoint(ranks[0], output)
        ranks[1].signal(signal.SIGKILL)
        said = self.check_end(ranks[0], 69)
        self.assertRegex(said, rf"rank 1 \(process {ranks[1].pid} on .*\) has ended or can't be reached")
        self.assertIn("start the same commands again", said)
        ranks = self.start_ranks(output, "--epochs", "6")
        self.check_end(ranks[1])
        self.assertIn("goes on after", self.check_end(ranks[0]))
        self.assertEqual(tensors_of(output), tensors_of(self.whole))

    def test_if_rank_0_is_killed_the_others_end_and_say_so(self):
        output = self.path("headless.safetensors")
        ranks = self.start_ranks(output, "--epochs", "50")
        self.wait_for_checkpoint(ranks[0], output)
        ranks[0].signal(signal.SIGKILL)
        self.assertRegex(
            self.check_end(ranks[1], 69),
            rf"rank 1: rank 0 \(process {ranks[0].pid} on .*\) has ended or can't be reached",
        )

    @long
    def test_three_learn_the_same_twice(self):
        results = []
        for name in ("three", "three-again"):
            output = self.path(f"{name}.safetensors")
            for process in reversed(self.start_ranks(output, "--epochs", "2", size=3)):
                self.check_end(process)
            results.append(tensors_of(output))
        self.assertEqual(*results)

    def asked(self, which):
        """Ctrl-C for each of these ranks ends all in order."""
        output = self.path("asked.safetensors")
        ranks = self.start_ranks(output, "--epochs", "50", "--fresh")
        self.wait_for_checkpoint(ranks[0], output)
        for rank in which:
            ranks[rank].signal(signal.SIGINT)
        self.assertEqual(self.check_end(ranks[1], 130), "")
        self.assertIn("the same command goes on", self.check_end(ranks[0], 130))
        self.assertTrue(os.path.exists(output + ".training"))
        os.unlink(output + ".training")

    def test_ctrl_c_at_rank_1_ends_all(self):
        self.asked([1])

    @long
    def test_ctrl_c_at_rank_0_or_at_both_ends_all(self):
        self.asked([0])
        self.asked([0, 1])

    def test_if_the_data_differ_all_end_before_anything_is_learned(self):
        self.differ([], self.other_data, "data ")

    @long
    def test_if_an_option_differs_all_end_before_anything_is_learned(self):
        self.differ(["--rate", "0.02"], None, "rate 0.02, not ")

    def differ(self, more, data, words):
        output, port = self.path("differs.safetensors"), free_port()
        first = self.start(output, "--epochs", "6", **variables(0, port))
        second = self.start(output, "--epochs", "6", *more, data=data, **variables(1, port))
        for process in (first, second):
            said = self.check_end(process, 64)
            self.assertRegex(said, r"rank 1 \(on .*\) trains something else than rank 0: .*" + words)
            self.assertIn("give every process the same recordings, options and version", said)
        self.assertFalse(os.path.exists(output))

    def test_one_that_can_not_begin_ends_the_others_at_once(self):
        output = self.path("absent.safetensors")
        for bad in (0, 1):
            with self.subTest(rank=bad):
                port, begin = free_port(), time.monotonic()
                ranks = [
                    self.start(
                        output,
                        data=self.path("no-such-folder") if rank == bad else None,
                        **variables(rank, port),
                    )
                    for rank in range(2)
                ]
                for rank, process in enumerate(ranks):
                    said = self.check_end(process, 66)
                    self.assertIn("no-such-folder", said)
                    if rank != bad:
                        self.assertIn(f"rank {bad} can't begin", said)
                self.assertLess(time.monotonic() - begin, processes.ARRIVAL_S / 2)

    # -------------------------------------------------------------------------------- by torchrun

    def torchrun(self, output, *more):
        if not importlib.util.find_spec("torch.distributed.run"):
            self.skipTest("torch.distributed.run is not installed")
        return self.cared_for(
            Program(
                [
                    "-m",
                    "torch.distributed.run",
                    "--nproc_per_node",
                    "2",
                    "--master_port",
                    str(free_port()),
                    *DEBIAN_12,
                    "-m",
                    "gainstage_train",
                    *self.arguments(output, *more),
                ],
                {},
            )
        )

    def test_torchrun_starts_them(self):
        output = self.path("torchrun.safetensors")
        self.assertIn("done: 6 epochs are over", self.check_end(self.torchrun(output, "--epochs", "6")))
        self.assertEqual(tensors_of(output), tensors_of(self.whole))

    @long
    def test_ctrl_c_ends_what_torchrun_started_and_it_goes_on(self):
        output = self.path("torchrun-asked.safetensors")
        process = self.torchrun(output, "--epochs", "6")
        self.wait_for_checkpoint(process, output)
        os.killpg(
            process.pid, signal.SIGINT
        )  # as a terminal does; torchrun passes it on, so each rank gets it twice
        self.assertIn("interrupted; the same command goes on", process.wait()[2])
        self.assertIn("goes on after", self.check_end(self.torchrun(output, "--epochs", "6")))
        self.assertEqual(tensors_of(output), tensors_of(self.whole))

    # -------------------------------------------------------------------------------- the short way

    def test_a_worker_that_is_killed_is_named_and_the_same_command_goes_on(self):
        output = self.path("worker.safetensors")
        process = self.start(output, "--epochs", "6", "--processes", "2")
        self.wait_for_checkpoint(process, output)
        (worker,) = children_of(process.pid)
        os.kill(worker, signal.SIGKILL)
        said = self.check_end(process, 69)
        self.assertRegex(
            said,
            rf"rank 1 \(process {worker}\) has ended, killed by SIGKILL \(was memory short\?\); the same command goes on",
        )
        self.assertIn(
            "goes on after", self.check_end(self.start(output, "--epochs", "6", "--processes", "2"))
        )
        self.assertEqual(tensors_of(output), tensors_of(self.whole))

    def test_a_terminal_that_is_closed_ends_all_in_order(self):
        output, place = self.path("hangup.safetensors"), self.path("temporary")
        os.mkdir(place)
        process = self.start(output, "--epochs", "50", "--processes", "2", TMPDIR=place)
        self.wait_for_checkpoint(process, output)
        self.assertEqual(len(os.listdir(place)), 1)
        os.killpg(process.pid, signal.SIGHUP)
        self.assertIn("the same command goes on", self.check_end(process, 128 + signal.SIGHUP))
        self.assertEqual(os.listdir(place), [])

    @long
    def test_ctrl_c_at_the_leader_alone_ends_all(self):
        output = self.path("leader.safetensors")
        process = self.start(output, "--epochs", "50", "--processes", "2")
        self.wait_for_checkpoint(process, output)
        (worker,) = children_of(process.pid)
        process.signal(signal.SIGINT)
        self.assertIn("the same command goes on", self.check_end(process, 130))
        self.assertFalse(os.path.exists(f"/proc/{worker}"))


class Meeting(unittest.TestCase):
    """Before they have met."""

    @staticmethod
    def come_and_wait(port):
        processes.Place(1, 3, HERE, port)
        time.sleep(PATIENCE_S)

    def test_one_that_dies_on_its_way_is_missed_soon(self):
        port = free_port()
        with mock.patch.object(processes, "BEAT_S", 0.05), mock.patch.object(processes, "SILENCE_S", 1.0):
            place = processes.Place(0, 3, HERE, port)
            other = LOADED.Process(target=self.come_and_wait, args=(port,), daemon=True)
            other.start()
            self.addCleanup(other.kill)
            end = time.monotonic() + PATIENCE_S
            while place.store.add("beats/1", 0) < 2 and time.monotonic() < end:
                time.sleep(0.01)
            other.kill()
            begin = time.monotonic()
            with self.assertRaises(Problem) as caught:
                place.agree({})
        self.assertRegex(str(caught.exception), "^rank 1 came to .* and has given no sign of life for 1 s")
        self.assertEqual(caught.exception.exit_code, 69)
        self.assertLess(time.monotonic() - begin, 20.0)

    def test_one_that_is_late_is_waited_for_and_one_that_reads_long_lives(self):
        with mock.patch.object(processes, "BEAT_S", 0.05), mock.patch.object(processes, "SILENCE_S", 0.5):
            places, port = [], free_port()
            leader = processes.Place(0, 2, HERE, port)
            first = threading.Thread(target=leader.agree, args=({},))
            first.start()
            time.sleep(1.5)  # longer than the silence: rank 1 has not come
            places.append(processes.Place(1, 2, HERE, port))
            time.sleep(1.5)  # it reads its recordings
            places[0].agree({})
            first.join(PATIENCE_S)
        self.assertEqual(len(leader.facts), 2)
        self.assertFalse(leader.heart.is_alive() or places[0].heart.is_alive())


class Environment(unittest.TestCase):
    def refused(self, **given):
        with mock.patch.dict(os.environ, given, clear=True), self.assertRaises(Problem) as caught:
            processes.started_apart()
        self.assertEqual(caught.exception.exit_code, 64)
        return str(caught.exception)

    def test_what_is_missing_or_no_number_is_said(self):
        whole = variables(0, 29500)
        for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
            self.assertIn(
                f"{name} is missing",
                self.refused(**{key: value for key, value in whole.items() if key != name}),
            )
        for name, value, words in (
            ("RANK", "2", "from 0 to 1"),
            ("RANK", "-1", "from 0 to 1"),
            ("WORLD_SIZE", "two", "from 1 to 65536"),
            ("MASTER_PORT", "70000", "from 1 to 65535"),
        ):
            said = self.refused(**{**whole, name: value})
            self.assertIn(f"{name}=", said)
            self.assertIn(words, said)

    def test_one_process_needs_no_others(self):
        for given in ({}, {"WORLD_SIZE": "1"}, variables(0, 29500, 1)):
            with mock.patch.dict(os.environ, given, clear=True):
                self.assertIsNone(processes.started_apart())


class Parcels(unittest.TestCase):
    def test_tensors_of_every_kind_come_out_as_they_went_in(self):
        tensors = [
            torch.tensor(True),
            torch.randn(3, 5),
            torch.randn(7, dtype=torch.float64),
            torch.tensor([False, True, True]),
            torch.randn(2, dtype=torch.complex64),
            torch.zeros(0),
            torch.arange(4),
        ]
        parcel, copy = processes.Parcel(tensors, 2), processes.Parcel(tensors, 2)
        parcel.put(tensors)
        copy.bytes.copy_(parcel.bytes)
        out = [torch.zeros_like(tensor) for tensor in tensors]
        copy.take_to(out)
        for tensor, other in zip(tensors, out):
            self.assertTrue(torch.equal(tensor, other))

    def test_a_text_is_cut_where_there_is_no_more_room(self):
        parcel = processes.Parcel([torch.zeros(2)], 1)
        parcel.put_text("no memory")
        self.assertEqual(parcel.text(), "no memor")


class Interface(unittest.TestCase):
    def test_that_of_the_loopback_address_is_the_loopback(self):
        self.assertEqual(processes.interface_to(HERE, 1), processes.loopback())
        self.assertIsNone(processes.interface_to("no.such.host.invalid", 1))


if __name__ == "__main__":
    unittest.main()
