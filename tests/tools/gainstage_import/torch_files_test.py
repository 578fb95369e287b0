#!/usr/bin/python3
"""The reader of PyTorch's files: what each writer wrote, and what is refused."""

import glob
import hashlib
import json
import os
import struct
import unittest
import zlib

from importing import np, torch
from support import SOURCE

import torch_files as files
from gainstage_import import checkpoint, pickles, torch_archive
from gainstage_files.problem import Problem
from gainstage_import.torch_tensors import NAMES
from hostile import Case

DATA = os.path.join(SOURCE, "tests", "data", "torch_files")

# -------------------------------------------------------------------------------- PyTorch's writers


class Stored(Case):
    """What each PyTorch that could be had saved, and what it said is in it."""

    def test_every_tensor_of_every_writer_is_read_to_the_byte(self):
        sheets = sorted(glob.glob(os.path.join(DATA, "*.json")))
        self.assertGreaterEqual(len(sheets), 4)
        for sheet in sheets:
            with open(sheet, encoding="utf-8") as file:
                said = json.load(file)
            for name in (name for name in said if name.endswith(".pt")):
                with self.subTest(name):
                    tensors = {
                        key: np.asarray(tensor)
                        for key, tensor in checkpoint.load(os.path.join(DATA, name), ()).items()
                    }
                    found = {
                        key: {
                            "shape": list(tensor.shape),
                            "sha256": hashlib.sha256(tensor.astype("<f8").tobytes()).hexdigest(),
                        }
                        for key, tensor in tensors.items()
                    }
                    self.assertEqual(found, said[name])

    def test_what_lightning_says_besides_is_found(self):
        for path in glob.glob(os.path.join(DATA, "*network.pt")):
            _, said = checkpoint.load_with_hyper_parameters(path, ())
            self.assertEqual(
                (said["take_side_chain"], said["final_tanh"], said["rate"]), (True, "none", 1e-3)
            )

    def test_any_byte_more_or_less_is_refused(self):
        paths = sorted(glob.glob(os.path.join(DATA, "*.pt")))
        for path in paths:
            with open(path, "rb") as file:
                content = file.read()
            for spoilt in (
                content + b"\0",
                content + b"PK\5\6",
                b"\0" + content,
                content + content,
                content[:-1],
                content[1:],
                content[: len(content) // 2],
            ):
                self.refused(lambda: self.load(spoilt))
        with open(paths[0], "rb") as file:
            content = file.read()
        for length in range(0, len(content), 41):
            self.refused(lambda: self.load(content[:length]))

    def test_a_bit_that_is_wrong_changes_a_number_of_the_old_form_or_is_refused(self):
        """The archive has checksums: nothing wrong is read. The old form has none, so only its frame is
        checked."""
        random = np.random.default_rng(1)
        for path in sorted(glob.glob(os.path.join(DATA, "*.pt")))[:8]:
            with open(path, "rb") as file:
                content = bytearray(file.read())
            good = checkpoint.load(path, ())
            for at in random.integers(len(content), size=150):
                bit = 1 << int(random.integers(8))
                content[at] ^= bit
                try:
                    with np.errstate(all="ignore"):
                        tensors = self.load(bytes(content))
                except Problem:
                    tensors = None
                content[at] ^= bit
                if tensors is not None and content.startswith(b"PK"):
                    for name, tensor in good.items():
                        np.testing.assert_array_equal(tensors[name], tensor)


class Own(Case):
    """The tests' own writer makes what PyTorch makes, so that what it spoils is spoilt in that one place."""

    def test_both_forms_are_read(self):
        value = {
            "a": np.arange(6, dtype="f4").reshape(2, 3),
            "b": np.array([True, False]),
            "none": np.zeros((0, 2), "f8"),
        }
        for content in (
            files.archive_of(value),
            files.old_form_of(value),
            files.archive_of({"state_dict": value, "epoch": 3, "x": None}),
        ):
            for name, tensor in self.load(content).items():
                np.testing.assert_array_equal(tensor, value[name])

    @unittest.skipUnless(torch, "PyTorch is not installed")
    def test_an_archive_is_what_pytorch_writes_to_the_byte(self):
        """The records of its archive, laid by this writer once more."""
        torch.save(
            {"w": torch.arange(5.0), "flag": torch.tensor([True]), "none": torch.zeros(0)},
            self.path("theirs.pt"),
        )
        with open(self.path("theirs.pt"), "rb") as file:
            content = file.read()
        records = [
            files.Record(record.name, content[record.begin : record.begin + record.size])
            for record in torch_archive.records_of(content).values()
        ]
        self.assertEqual(files.archive(records), content)


# -------------------------------------------------------------------------------- archives


def good_records(**changes):
    """Of an archive with one tensor; changes: of its numbers' record."""
    data = np.arange(4, dtype="f4").tobytes()
    body = files.pickle(files.table([("w", files.tensor("Float", "0", 4, [4], [1]))]))
    records = files.records_of(body, [("0", data)])
    records[1] = files.Record("archive/data/0", changes.pop("data", data), **changes)
    return records


class Archive(Case):
    def test_the_archive_is_read_when_nothing_is_changed(self):
        self.assertEqual(self.load(files.archive(good_records()))["w"].tolist(), [0, 1, 2, 3])

    def test_numbers_of_machines_that_put_the_high_byte_first_are_read(self):
        records = good_records(data=np.arange(4, dtype=">f4").tobytes())
        records.insert(1, files.Record("archive/byteorder", b"big"))
        self.assertEqual(self.load(files.archive(records))["w"].tolist(), [0, 1, 2, 3])
        records[1] = files.Record("archive/byteorder", b"Big")
        self.refused(lambda: self.load(files.archive(records)), "byteorder")

    def test_what_pytorch_does_not_write_is_refused(self):
        first, numbers, version = good_records()
        other = files.Record("archive/data/1", bytes(16))
        for what, content in {
            "bytes before": files.archive(good_records(), before=b"\0"),
            "an archive before": files.archive(good_records(), before=files.archive(good_records())),
            "bytes between": files.archive(good_records(), between=b"\0"),
            "bytes after": files.archive(good_records(), after=b"\0"),
            "another end after": files.archive(good_records(), after=files.archive([])),
            "a comment": files.archive(good_records(), comment=b"PK"),
            "one directory": files.archive(good_records(), long=False),
            "a record's comment": files.archive(good_records(comment=b"x")),
            "a record's extra": files.archive(good_records(extra=b"xxxx")),
            "compression": files.archive(good_records(data=zlib.compress(bytes(16)), method=8)),
            "encryption": files.archive(good_records(flags=0x0809)),
            "another name in its own header": files.archive(good_records(local_name=b"archive/data/1")),
            "a longer name in its own header": files.archive(good_records(local_name=b"archive/data/00")),
            "a wrong checksum": files.archive(good_records(crc=1)),
            "a wrong size": files.archive(good_records(size=15)),
            "a size beyond the file": files.archive(good_records(size=1 << 30)),
            "the place of another": files.archive(good_records(header=0)),
            "padding with something in it": files.archive(good_records(padding=b"FB\4\0EVIL")),
            "no padding": files.archive(good_records(padding=b"")),
            "another extra field": files.archive(good_records(padding=b"UT\5\0\0\0\0\0\0")),
            "a name twice": files.archive([first, numbers, numbers, version]),
            "a name twice, the last wins": files.archive(
                [first, numbers, version, files.Record("archive/data.pkl", files.pickle(b"N"))]
            ),
            "numbers that nobody names": files.archive([first, numbers, other, version]),
            "numbers that are missing": files.archive([first, version]),
            "another root": files.archive([first, numbers, files.Record("other/version", b"3\n")]),
            "no version": files.archive([first, numbers]),
            "an odd version": files.archive([first, numbers, files.Record("archive/version", b"3\n\n")]),
            "the pickle last": files.archive([numbers, version, first]),
            "a stranger": files.archive([first, numbers, version, files.Record("archive/notes", b"x")]),
            "nothing": files.archive([]),
            "two bytes": b"PK",
        }.items():
            with self.subTest(what):
                self.refused(lambda: self.load(content))
        for odd in (
            "archive/DATA.PKL",
            "archive//data.pkl",
            "archive/./data.pkl",
            "archive\\data.pkl",
            "/data.pkl",
            "data.pkl",
            "archive/data.pkl\0",
            "archive/sub/data.pkl",
            "a\x1b/data.pkl",
            b"\xff/data.pkl",
        ):
            with self.subTest(odd):
                self.refused(
                    lambda: self.load(files.archive([files.Record(odd, first.data), numbers, version]))
                )
        for odd in (
            "archive/data/00",
            "archive/data/0/",
            "archive/data/-1",
            "archive/data/x",
            "archive/Data/0",
        ):
            with self.subTest(odd):
                self.refused(
                    lambda: self.load(files.archive([first, files.Record(odd, numbers.data), version]))
                )

    def test_programs_are_refused_by_any_sign(self):
        for sign in (
            "archive/constants.pkl",
            "archive/code/__torch__.py",
            "archive/code/__torch__.py.debug_pkl",
            "archive/extra/x",
            "archive/CONSTANTS.PKL",
            "archive/bytecode.pkl",
            "archive/attributes.pkl",
        ):
            for place in (0, 1, 3):
                records = good_records()
                records.insert(place, files.Record(sign, b"x"))
                self.refused(lambda: self.load(files.archive(records)), "TorchScript")

    @unittest.skipUnless(torch, "PyTorch is not installed")
    def test_programs_that_pytorch_made_are_refused_and_so_are_they_with_a_tail(self):
        for make in (torch.nn.Linear(2, 2), torch.nn.PReLU()):
            torch.jit.save(torch.jit.script(make), self.path("script.pt"))
            with open(self.path("script.pt"), "rb") as file:
                content = file.read()
            self.refused(lambda: self.load(content), "TorchScript")
            self.refused(lambda: self.load(content + b"PK\5\6"), "appended")


# -------------------------------------------------------------------------------- pickles


class Pickle(Case):
    def value(self, body, names={}, stored=lambda arguments: arguments):
        return pickles.load(files.pickle(body), 0, names, stored)[0]

    def damaged(self, body, part=""):
        with self.assertRaises(pickles.Damaged) as refusal:
            self.value(body)
        self.assertIn(part, str(refusal.exception))

    def test_objects_become_nothing(self):
        marker = self.path("was-run")
        for body in files.programs(marker):
            self.assertIsInstance(self.value(body), dict)
            weights = files.table(
                [("state_dict", files.table([("w", files.tensor("Float", "0", 1, [1], [1]))])), ("x", body)]
            )
            beside = files.archive(files.records_of(files.pickle(weights), [("0", bytes(4))]))
            self.assertEqual(list(self.load(beside)), ["w"])
            inside = files.archive(files.records_of(files.pickle(files.table([("state_dict", body)])), []))
            self.refused(lambda: self.load(inside))
        self.assertFalse(os.path.exists(marker))

    def test_plain_values(self):
        for body, value in (
            (b"K\7", 7),
            (b"J\xff\xff\xff\xff", -1),
            (b"M\1\1", 257),
            (b"\x8a\1\x80", -128),
            (b"\x8a\0", 0),
            (b"N", None),
            (b"\x88", True),
            (b"G" + struct.pack(">d", 0.1), 0.1),
            (files.text("\u20ac"), "\u20ac"),
            (b"U\3abc", "abc"),
            (b"\x8c\1x", "x"),
            (b"C\1x", b"x"),
            (b"](K\1K\2e", [1, 2]),
            (b"]K\1a", [1]),
            (b")", ()),
            (b"(K\1t", (1,)),
            (b"K\1\x85", (1,)),
            (b"K\1K\2\x86", (1, 2)),
            (b"K\1K\2K\3\x87", (1, 2, 3)),
            (b"}", {}),
            (b"}X\1\0\0\0aK\1s", {"a": 1}),
            (b"}q\0X\1\0\0\0aK\1s0h\0", {"a": 1}),
            (b"}(K\1K\2u", {}),
            (b"](K\1(K\2K\0001e", [1]),
            (b"(K\1q\0K\2q\1h\0h\1t", (1, 2, 1, 2)),
        ):
            self.assertEqual(self.value(body), value)
        ordered = files.name("collections", "OrderedDict") + b"(]](X\1\0\0\0aK\1eatR"  # as Python 2 writes it
        self.assertEqual(self.value(ordered, NAMES), {"a": 1})

    def test_what_no_pickler_of_pytorch_writes_is_refused(self):
        for body in (
            b"I1\n",
            b"L1L\n",
            b"S'x'\n",
            b"Vx\n",
            b"F1\n",
            b"P1\n",
            b"(cos\nsystem\no",
            b"(S'ls'\nios\nsystem\n",
            b"(d",
            b"(l",
            b"N2",
            b"\x82\1",
            b"\x83\1\0",
            b"\x84\1\0\0\0",
            b"\x97",
            b"\x98",
            b"Np0\n",
            b"g0\n",
            b"\xff",
            b"\0",
        ):
            self.damaged(body, "opcode")

    def test_lies_are_refused(self):
        for body in (
            b"",
            b"0",
            b"NN",
            b"(",
            b"(N",
            b"t",
            b"e",
            b"u",
            b"s",
            b"a",
            b"R",
            b"Q",
            b"b",
            b"\x85",
            b"N\x86",
            b"h\0",
            b"j\0\0\0\1",
            b"q\0",
            b"Nq\5",
            b"Nr" + struct.pack("<I", 1 << 28),
            b"Nq\0q\0",
            b"Nq\1q\1",
            b"X\xff\xff\xff\xff",
            b"X\5\0\0\0ab",
            b"X\1\0\0\0\xff",
            b"T\xff\xff\xff\xff",
            b"\x8b\xff\xff\xff\xff",
            b"\x8b\xff\xff\xff\x7f",
            b"\x8d" + b"\xff" * 8,
            b"\x95" + b"\xff" * 8,
            b"cos",
            b"c" + b"x" * 5000 + b"\nx\n",
            b"NNR",
            b"N)R",
            b"NNa",
            b"N(NNu",
            b"}(Nu",
            b"NQ",
            b"NNb",
            b"NN\x93",
            b"K\1)R",
            b"J\0",
            b"G\0",
        ):
            self.damaged(body)
        for content in (b"", b"\x80", b"\x80\1N.", b"\x80\6N.", b"N.", b"\x80\2"):
            with self.assertRaises(pickles.Damaged):
                pickles.load(content, 0, {}, None)

    def test_numbers_stay_within_their_storage(self):
        for size, stride, offset, count in (
            ([5], [1], 0, 4),
            ([2], [1], 3, 4),
            ([2, 2], [1], 0, 4),
            ([1 << 62], [1], 0, 4),
            ([2], [1 << 62], 0, 4),
            ([1] * 40, [1] * 40, 0, 4),
            ([1], [1], 0, 5),
            ([1], [1], 0, 1 << 60),
        ):
            body = files.pickle(files.table([("w", files.tensor("Float", "0", count, size, stride, offset))]))
            self.refused(lambda: self.load(files.archive(files.records_of(body, [("0", bytes(16))]))))
        two = files.pickle(
            files.table(
                [
                    ("a", files.tensor("Float", "0", 4, [4], [1])),
                    ("b", files.tensor("Double", "0", 2, [2], [1])),
                ]
            )
        )
        self.refused(lambda: self.load(files.archive(files.records_of(two, [("0", bytes(16))]))), "two kinds")

    def test_odd_storages_are_refused(self):
        numbers = [("0", bytes(4))]
        for pid in (
            files.tup(files.text("storage")),
            files.tup(files.text("module"), files.name("a", "b")),
            b"K\1",
            b"N",
            files.tup(
                files.text("storage"), files.name("os", "system"), files.text("0"), files.text("cpu"), b"K\1"
            ),
            files.tup(
                files.text("storage"),
                files.name("torch", "UntypedStorage"),
                files.text("0"),
                files.text("cpu"),
                b"K\1",
            ),
            files.tup(
                files.text("storage"),
                files.name("torch", "FloatStorage"),
                files.text("../0"),
                files.text("cpu"),
                b"K\1",
            ),
            files.tup(
                files.text("storage"), files.name("torch", "FloatStorage"), files.text("0"), b"N", b"K\1"
            ),
            files.tup(
                files.text("storage"),
                files.name("torch", "FloatStorage"),
                files.text("0"),
                files.text("cpu"),
                b"\x89",
            ),
            files.tup(
                files.text("storage"),
                files.name("torch", "FloatStorage"),
                files.text("0"),
                files.text("cpu"),
                b"J\xff\xff\xff\xff",
            ),
        ):
            self.refused(
                lambda: self.load(
                    files.archive(files.records_of(files.pickle(files.table([("w", pid + b"Q")])), numbers))
                )
            )


class Old(Case):
    def test_it_is_read_when_nothing_is_changed_and_refused_when_something_is(self):
        body = files.pickle(files.table([("w", files.tensor("Float", "0", 4, [4], [1], old=True))]))
        data = np.arange(4, dtype="f4").tobytes()
        self.assertEqual(self.load(files.old_form(body, [("0", 4, data)]))["w"].tolist(), [0, 1, 2, 3])
        for content in (
            files.old_form(body, [("0", 4, data)]) + b"\0",
            files.old_form(body, [("0", 4, data[:-1])]),
            files.old_form(body, [("0", 5, data)]),
            files.old_form(body, [("0", -4, data)]),
            files.old_form(body, [("0", 4, data), ("0", 4, data)]),
            files.old_form(body, []),
            files.old_form(body, [("1", 4, data)]),
            files.old_form(body, [("0", 4, data), ("1", 4, data)]),
            files.MAGIC,
            files.old_form(body, [("0", 4, data)], form=files.pickle(b"M\xea\x03")),
            files.old_form(body, [("0", 4, data)], system=files.pickle(b"}")),
            files.old_form(
                files.pickle(files.table([("w", files.tensor("Float", "0", 4, [4], [1]))])), [("0", 4, data)]
            ),
        ):
            self.refused(lambda: self.load(content))

    def test_a_whole_module_is_refused_and_its_source_is_not_run(self):
        module = (
            files.tup(
                files.text("module"),
                files.name("__main__", "Net"),
                files.text("net.py"),
                files.text("import os; os.abort()"),
            )
            + b"Q"
        )
        self.refused(
            lambda: self.load(
                files.old_form(files.pickle(module + b")\x81" + files.table([("a", b"N")]) + b"b"), [])
            ),
            "holds more than tensors",
        )


if __name__ == "__main__":
    unittest.main()
