#!/usr/bin/python3
"""What a run says about the machine it is on."""

import os
import tempfile
import unittest
from unittest import mock

import support

support.need("numpy", "torch", "scipy", "soundfile", "numba")

import small  # noqa: E402,F401
from train import machine  # noqa: E402

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
        self.assertFalse(self.slow_with("/home/anna/train/lib/python3.11/site-packages/torch/lib/libtorch_cpu.so"))

    def test_where_no_system_tells_nothing_is_said(self):
        with mock.patch.object(machine, "PARTS", "/nowhere/maps"):
            self.assertFalse(machine.slow_products())


if __name__ == "__main__":
    unittest.main()
