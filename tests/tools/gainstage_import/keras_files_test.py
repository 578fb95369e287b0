#!/usr/bin/python3
"""The reader of Keras's files: what it refuses."""

import os
import struct
import unittest

from importing import h5py, np

from gainstage_files.problem import Problem
from gainstage_import import keras_h5
from hostile import Case


@unittest.skipUnless(h5py, "h5py is not installed")
class Keras(Case):
    def made(self, make):
        with h5py.File(self.path("m.h5"), "w") as file:
            make(file)
        return self.path("m.h5")

    def refuse(self, make, *parts):
        self.refused(lambda: keras_h5.load(self.made(make)), "m.h5", *parts)

    def test_numbers_that_are_not_in_the_file_are_refused(self):
        self.refuse(lambda file: file.create_dataset("a", (1 << 20,), "f4"), "not all in the file")
        self.refuse(lambda file: file.create_dataset("a", (1 << 30,), "f4", chunks=(1 << 16,)), "in parts")
        self.refuse(
            lambda file: file.create_dataset("a", data=np.zeros(1000, "f4"), compression="gzip"), "compressed"
        )
        self.refuse(lambda file: file.create_dataset("a", data=np.zeros((1,) * 9, "f4")), "dimensions")

    def test_links_groups_and_names_are_bounded(self):
        def deep(file):
            for _ in range(50):
                file = file.create_group("g")

        def circle(file):
            file["a/b"] = np.zeros(3, "f4")
            file["a/again"] = file["a"]
            file["a/root"] = file["/"]

        def many(file):
            for count in range(5000):
                file.create_group(str(count))

        self.refuse(deep, "nested too deeply")
        self.refuse(many, "more than a weight file")
        self.assertEqual(
            {name: tensor.tolist() for name, tensor in keras_h5.load(self.made(circle)).items()},
            {"a/b": [0, 0, 0]},
        )

    def test_data_sets_that_share_numbers_are_refused(self):
        """Two headers that say one place: what the second would read is the first's."""

        def make(file):
            for name in "ab":
                file[name] = np.full(4096, ord(name), "f4")

        path = self.made(make)
        with h5py.File(path, "r") as file:
            places = [file[name].id.get_offset() for name in "ab"]
        with open(path, "rb") as file:
            content = file.read()
        one = content.replace(struct.pack("<Q", places[1]), struct.pack("<Q", places[0]))
        one = one[: max(places)]
        self.refused(lambda: keras_h5.load(self.path("one.h5", one)), "one.h5")

    def test_damaged_files_are_refused_or_read(self):
        path = self.made(
            lambda file: file.create_dataset("layer/layer/kernel:0", data=np.arange(300, dtype="f4"))
        )
        with open(path, "rb") as file:
            content = bytearray(file.read())
        random = np.random.default_rng(2)
        for _ in range(150):
            at = int(random.integers(len(content)))
            before, content[at] = content[at], int(random.integers(256))
            try:
                keras_h5.load(self.path("bad.h5", bytes(content)))
            except Problem as problem:
                self.assertEqual(problem.exit_code, 65)
            content[at] = before

    def test_no_filter_is_looked_for(self):
        keras_h5.load(self.made(lambda file: file.create_dataset("a", data=np.zeros(3, "f4"))))
        self.assertEqual(os.environ["HDF5_PLUGIN_PRELOAD"], "::")


if __name__ == "__main__":
    unittest.main()
