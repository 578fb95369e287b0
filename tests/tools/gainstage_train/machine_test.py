#!/usr/bin/python3
"""What a run says about the machine it is on."""

import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import support

support.need("numpy", "torch", "scipy", "soundfile", "numba")

from gainstage_train import command_line, machine  # noqa: E402

PART = "7f3a4c000000-7f3a4c0a2000 r-xp 0000b000 fe:00 1583 {}\n"


class Products(unittest.TestCase):
    def slow_with(self, *libraries):
        with tempfile.TemporaryDirectory() as folder:
            parts = os.path.join(folder, "maps")
            with open(parts, "w", encoding="utf-8") as file:
                file.writelines(PART.format(library) for library in ("/usr/bin/python3.11", *libraries))
            with mock.patch.object(machine, "PARTS", parts):
                return machine.slow_products()

    def test_debians_reference_blas_is_known_by_its_place(self):
        self.assertTrue(self.slow_with("/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0"))
        self.assertTrue(self.slow_with("/usr/lib/aarch64-linux-gnu/blas/libblas.so.3.12.1"))

    def test_others_are_not_taken_for_it(self):
        self.assertFalse(self.slow_with("/usr/lib/x86_64-linux-gnu/openblas-serial/libblas.so.3"))
        self.assertFalse(self.slow_with("/usr/lib/x86_64-linux-gnu/blis-serial/libblas.so.4.0.0"))
        self.assertFalse(
            self.slow_with("/home/anna/train/lib/python3.11/site-packages/torch/lib/libtorch_cpu.so")
        )

    def test_where_no_system_tells_nothing_is_said(self):
        with mock.patch.object(machine, "PARTS", "/nowhere/maps"):
            self.assertFalse(machine.slow_products())


class Cores(unittest.TestCase):
    def wish(self, threads, processes, **before):
        with mock.patch.dict(os.environ, before, clear=True):
            command_line.share_cores(threads, processes)
            return os.environ.get("OPENBLAS_NUM_THREADS")

    def test_processes_that_share_the_cores_take_one_each_unless_the_user_says_otherwise(self):
        self.assertIsNone(self.wish(0, 1))
        self.assertEqual(self.wish(0, 2), "1")
        self.assertEqual(self.wish(3, 2), "3")
        self.assertEqual(self.wish(0, 2, OPENBLAS_NUM_THREADS="4"), "4")

    def test_it_is_said_before_any_library_is_loaded(self):
        said = "import sys; from gainstage_train import __main__ as m; m.command_line.go = lambda *_: print('torch' in sys.modules, 'numpy' in sys.modules); "
        said += "m.main(['gru', '--data', 'nowhere', '-o', 'x.safetensors', '--processes', '2']); import os; print(os.environ['OPENBLAS_NUM_THREADS'])"
        environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_NUM_THREADS"}
        out = subprocess.run(
            [sys.executable, "-c", said], env={**environment}, capture_output=True, text=True, check=True
        ).stdout
        self.assertEqual(out.split(), ["False", "False", "1"])


if __name__ == "__main__":
    unittest.main()
