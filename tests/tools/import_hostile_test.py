#!/usr/bin/python3
"""Files from strangers: what the importer refuses, that it runs and writes nothing meanwhile, and how little it takes. PyTorch is not
needed, except to make programs of TorchScript."""

import contextlib
import glob
import hashlib
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib
from unittest import mock

from importing import IMPORT, SOURCE, h5py, np, torch  # first: it finds the importer

import import_model  # noqa: E402
import torch_files as files  # noqa: E402
from gainstage_import import checkpoint, foreign, keras_h5, pickles, s4d, s6, safetensors, tf_bundle, torch_archive  # noqa: E402
from gainstage_import.problem import Problem  # noqa: E402
from gainstage_import.take import Take  # noqa: E402
from gainstage_import.torch_tensors import NAMES  # noqa: E402

DATA = os.path.join(SOURCE, "tests", "data", "torch")

SECONDS, SPARE, TIMES = 2.0, 300 << 20, 10  # what a bad file may take at most: of the processor; bytes, and times its size


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name, content=None):
        path = os.path.join(self.folder, name)
        return path if content is None else files.write(path, content)

    def refused(self, call, *parts, code=65):
        with self.assertRaises(Problem) as refusal:
            call()
        self.assertEqual(refusal.exception.exit_code, code, refusal.exception)
        for part in parts:
            self.assertIn(part, str(refusal.exception))

    def load(self, content):
        return {name: np.asarray(tensor) for name, tensor in checkpoint.load(self.path("m.pt", content), ()).items()}

    def run_it(self, family, path, *more):
        """-> exit code, what was said"""
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            return import_model.main([family, path, "-o", self.path("out.safetensors"), *more]), said.getvalue()


# ------------------------------------------------------------------------------------------------ PyTorch's writers

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
                    tensors = {key: np.asarray(tensor) for key, tensor in checkpoint.load(os.path.join(DATA, name), ()).items()}
                    found = {key: {"shape": list(tensor.shape), "sha256": hashlib.sha256(tensor.astype("<f8").tobytes()).hexdigest()}
                             for key, tensor in tensors.items()}
                    self.assertEqual(found, said[name])

    def test_what_lightning_says_besides_is_found(self):
        for path in glob.glob(os.path.join(DATA, "*network.pt")):
            _, said = checkpoint.load_with_hyper_parameters(path, ())
            self.assertEqual((said["take_side_chain"], said["final_tanh"], said["rate"]), (True, "none", 1e-3))

    def test_any_byte_more_or_less_is_refused(self):
        paths = sorted(glob.glob(os.path.join(DATA, "*.pt")))
        for path in paths:
            with open(path, "rb") as file:
                content = file.read()
            for spoilt in (content + b"\0", content + b"PK\5\6", b"\0" + content, content + content, content[:-1], content[1:],
                           content[:len(content) // 2]):
                self.refused(lambda: self.load(spoilt))
        with open(paths[0], "rb") as file:
            content = file.read()
        for length in range(0, len(content), 41):
            self.refused(lambda: self.load(content[:length]))

    def test_a_bit_that_is_wrong_changes_a_number_of_the_old_form_or_is_refused(self):
        """The archive has checksums: nothing wrong is read. The old form has none, so only its frame is checked."""
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
        value = {"a": np.arange(6, dtype="f4").reshape(2, 3), "b": np.array([True, False]), "none": np.zeros((0, 2), "f8")}
        for content in (files.archive_of(value), files.old_form_of(value), files.archive_of({"state_dict": value, "epoch": 3, "x": None})):
            for name, tensor in self.load(content).items():
                np.testing.assert_array_equal(tensor, value[name])

    @unittest.skipUnless(torch, "PyTorch is not installed")
    def test_an_archive_is_what_pytorch_writes_to_the_byte(self):
        """The records of its archive, laid by this writer once more."""
        torch.save({"w": torch.arange(5.0), "flag": torch.tensor([True]), "none": torch.zeros(0)}, self.path("theirs.pt"))
        with open(self.path("theirs.pt"), "rb") as file:
            content = file.read()
        records = [files.Record(record.name, content[record.begin:record.begin + record.size]) for record in torch_archive.records_of(content).values()]
        self.assertEqual(files.archive(records), content)


# ------------------------------------------------------------------------------------------------ archives

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
                "a name twice, the last wins": files.archive([first, numbers, version, files.Record("archive/data.pkl", files.pickle(b"N"))]),
                "numbers that nobody names": files.archive([first, numbers, other, version]),
                "numbers that are missing": files.archive([first, version]),
                "another root": files.archive([first, numbers, files.Record("other/version", b"3\n")]),
                "no version": files.archive([first, numbers]),
                "an odd version": files.archive([first, numbers, files.Record("archive/version", b"3\n\n")]),
                "the pickle last": files.archive([numbers, version, first]),
                "a stranger": files.archive([first, numbers, version, files.Record("archive/notes", b"x")]),
                "nothing": files.archive([]), "two bytes": b"PK"}.items():
            with self.subTest(what):
                self.refused(lambda: self.load(content))
        for odd in ("archive/DATA.PKL", "archive//data.pkl", "archive/./data.pkl", "archive\\data.pkl", "/data.pkl", "data.pkl", "archive/data.pkl\0",
                    "archive/sub/data.pkl", "a\x1b/data.pkl", b"\xff/data.pkl"):
            with self.subTest(odd):
                self.refused(lambda: self.load(files.archive([files.Record(odd, first.data), numbers, version])))
        for odd in ("archive/data/00", "archive/data/0/", "archive/data/-1", "archive/data/x", "archive/Data/0"):
            with self.subTest(odd):
                self.refused(lambda: self.load(files.archive([first, files.Record(odd, numbers.data), version])))

    def test_programs_are_refused_by_any_sign(self):
        for sign in ("archive/constants.pkl", "archive/code/__torch__.py", "archive/code/__torch__.py.debug_pkl", "archive/extra/x",
                     "archive/CONSTANTS.PKL", "archive/bytecode.pkl", "archive/attributes.pkl"):
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


# ------------------------------------------------------------------------------------------------ pickles

def run(*commands):
    """An object of class os.system and the like, made by each way that a pickle has."""
    call = files.tup(files.text("touch /tmp/gainstage-was-run"))
    return [files.name("os", "system") + call + b"R", files.name("posix", "system") + call + b"\x81", b"\x8c\x02os\x8c\x06system\x93" + call + b"R",
            files.name("builtins", "eval") + files.tup(files.text("1/0")) + b"R", files.name("os", "system") + call + b"}\x92",
            files.name("builtins", "getattr") + files.tup(files.name("torch", "FloatStorage"), files.text("__init__")) + b"R" + call + b"R",
            files.name("torch._utils", "_rebuild_tensor_v2.__globals__") + call + b"R",
            files.name("collections", "OrderedDict") + b")R" + files.table([("__class__", files.name("os", "system"))]) + b"b",
            files.name("torch", "load") + call + b"R", files.name("torch.jit", "load") + call + b"R"]


class Pickle(Case):
    def value(self, body, names={}, stored=lambda arguments: arguments):
        return pickles.load(files.pickle(body), 0, names, stored)[0]

    def damaged(self, body, part=""):
        with self.assertRaises(pickles.Damaged) as refusal:
            self.value(body)
        self.assertIn(part, str(refusal.exception))

    def test_objects_become_nothing(self):
        for body in run():
            self.assertIsInstance(self.value(body), dict)
            weights = files.table([("state_dict", files.table([("w", files.tensor("Float", "0", 1, [1], [1]))])), ("x", body)])
            for content in (files.archive(files.records_of(files.pickle(weights), [("0", bytes(4))])),
                            files.archive(files.records_of(files.pickle(files.table([("state_dict", body)])), []))):
                try:
                    self.assertEqual(list(self.load(content)), ["w"])
                except Problem:
                    pass
        self.assertFalse(os.path.exists("/tmp/gainstage-was-run"))

    def test_plain_values(self):
        for body, value in ((b"K\7", 7), (b"J\xff\xff\xff\xff", -1), (b"M\1\1", 257), (b"\x8a\1\x80", -128), (b"\x8a\0", 0), (b"N", None), (b"\x88", True),
                            (b"G" + struct.pack(">d", 0.1), 0.1), (files.text("\u20ac"), "\u20ac"), (b"U\3abc", "abc"), (b"\x8c\1x", "x"), (b"C\1x", b"x"),
                            (b"](K\1K\2e", [1, 2]), (b"]K\1a", [1]), (b")", ()), (b"(K\1t", (1,)), (b"K\1\x85", (1,)), (b"K\1K\2\x86", (1, 2)),
                            (b"K\1K\2K\3\x87", (1, 2, 3)), (b"}", {}), (b"}X\1\0\0\0aK\1s", {"a": 1}), (b"}q\0X\1\0\0\0aK\1s0h\0", {"a": 1}),
                            (b"}(K\1K\2u", {}), (b"](K\1(K\2K\0001e", [1]), (b"(K\1q\0K\2q\1h\0h\1t", (1, 2, 1, 2))):
            self.assertEqual(self.value(body), value)
        ordered = files.name("collections", "OrderedDict") + b"(]](X\1\0\0\0aK\1eatR"  # as Python 2 writes it
        self.assertEqual(self.value(ordered, NAMES), {"a": 1})

    def test_what_no_pickler_of_pytorch_writes_is_refused(self):
        for body in (b"I1\n", b"L1L\n", b"S'x'\n", b"Vx\n", b"F1\n", b"P1\n", b"(cos\nsystem\no", b"(S'ls'\nios\nsystem\n", b"(d", b"(l", b"N2", b"\x82\1",
                     b"\x83\1\0", b"\x84\1\0\0\0", b"\x97", b"\x98", b"Np0\n", b"g0\n", b"\xff", b"\0"):
            self.damaged(body, "opcode")

    def test_lies_are_refused(self):
        for body in (b"", b"0", b"NN", b"(", b"(N", b"t", b"e", b"u", b"s", b"a", b"R", b"Q", b"b", b"\x85", b"N\x86", b"h\0", b"j\0\0\0\1", b"q\0", b"Nq\5",
                     b"Nr" + struct.pack("<I", 1 << 28), b"Nq\0q\0", b"Nq\1q\1", b"X\xff\xff\xff\xff", b"X\5\0\0\0ab", b"X\1\0\0\0\xff", b"T\xff\xff\xff\xff",
                     b"\x8b\xff\xff\xff\xff", b"\x8b\xff\xff\xff\x7f", b"\x8d" + b"\xff" * 8, b"\x95" + b"\xff" * 8, b"cos", b"c" + b"x" * 5000 + b"\nx\n",
                     b"NNR", b"N)R", b"NNa", b"N(NNu", b"}(Nu", b"NQ", b"NNb", b"NN\x93", b"K\1)R", b"J\0", b"G\0"):
            self.damaged(body)
        for content in (b"", b"\x80", b"\x80\1N.", b"\x80\6N.", b"N.", b"\x80\2"):
            with self.assertRaises(pickles.Damaged):
                pickles.load(content, 0, {}, None)

    def test_numbers_stay_within_their_storage(self):
        for size, stride, offset, count in (([5], [1], 0, 4), ([2], [1], 3, 4), ([2, 2], [1], 0, 4), ([1 << 62], [1], 0, 4), ([2], [1 << 62], 0, 4),
                                            ([1] * 40, [1] * 40, 0, 4), ([1], [1], 0, 5), ([1], [1], 0, 1 << 60)):
            body = files.pickle(files.table([("w", files.tensor("Float", "0", count, size, stride, offset))]))
            self.refused(lambda: self.load(files.archive(files.records_of(body, [("0", bytes(16))]))))
        two = files.pickle(files.table([("a", files.tensor("Float", "0", 4, [4], [1])), ("b", files.tensor("Double", "0", 2, [2], [1]))]))
        self.refused(lambda: self.load(files.archive(files.records_of(two, [("0", bytes(16))]))), "two kinds")

    def test_odd_storages_are_refused(self):
        numbers = [("0", bytes(4))]
        for pid in (files.tup(files.text("storage")), files.tup(files.text("module"), files.name("a", "b")), b"K\1", b"N",
                    files.tup(files.text("storage"), files.name("os", "system"), files.text("0"), files.text("cpu"), b"K\1"),
                    files.tup(files.text("storage"), files.name("torch", "UntypedStorage"), files.text("0"), files.text("cpu"), b"K\1"),
                    files.tup(files.text("storage"), files.name("torch", "FloatStorage"), files.text("../0"), files.text("cpu"), b"K\1"),
                    files.tup(files.text("storage"), files.name("torch", "FloatStorage"), files.text("0"), b"N", b"K\1"),
                    files.tup(files.text("storage"), files.name("torch", "FloatStorage"), files.text("0"), files.text("cpu"), b"\x89"),
                    files.tup(files.text("storage"), files.name("torch", "FloatStorage"), files.text("0"), files.text("cpu"), b"J\xff\xff\xff\xff")):
            self.refused(lambda: self.load(files.archive(files.records_of(files.pickle(files.table([("w", pid + b"Q")])), numbers))))


class Old(Case):
    def test_it_is_read_when_nothing_is_changed_and_refused_when_something_is(self):
        body = files.pickle(files.table([("w", files.tensor("Float", "0", 4, [4], [1], old=True))]))
        data = np.arange(4, dtype="f4").tobytes()
        self.assertEqual(self.load(files.old_form(body, [("0", 4, data)]))["w"].tolist(), [0, 1, 2, 3])
        for content in (files.old_form(body, [("0", 4, data)]) + b"\0", files.old_form(body, [("0", 4, data[:-1])]), files.old_form(body, [("0", 5, data)]),
                        files.old_form(body, [("0", -4, data)]), files.old_form(body, [("0", 4, data), ("0", 4, data)]), files.old_form(body, []),
                        files.old_form(body, [("1", 4, data)]), files.old_form(body, [("0", 4, data), ("1", 4, data)]), files.MAGIC,
                        files.old_form(body, [("0", 4, data)], form=files.pickle(b"M\xea\x03")), files.old_form(body, [("0", 4, data)], system=files.pickle(b"}")),
                        files.old_form(files.pickle(files.table([("w", files.tensor("Float", "0", 4, [4], [1]))])), [("0", 4, data)])):
            self.refused(lambda: self.load(content))

    def test_a_whole_module_is_refused_and_its_source_is_not_run(self):
        module = files.tup(files.text("module"), files.name("__main__", "Net"), files.text("net.py"), files.text("import os; os.abort()")) + b"Q"
        self.refused(lambda: self.load(files.old_form(files.pickle(module + b")\x81" + files.table([("a", b"N")]) + b"b"), [])), "holds more than tensors")


# ------------------------------------------------------------------------------------------------ other readers

class Tensorflow(Case):
    def setUp(self):
        super().setUp()
        sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
        self.addCleanup(sys.path.pop, 0)
        with contextlib.redirect_stdout(io.StringIO()):
            import import_s6_test
        self.maker = import_s6_test

    def bundle(self, change, tensors=None):
        self.maker.write_bundle(self.path("m"), tensors or {"a": np.arange(3.0)}, change=change)
        return self.path("m")

    def test_checksums_are_those_of_the_standard(self):
        self.assertEqual(tf_bundle.crc_of(b"123456789"), 0xE3069283)
        random = np.random.default_rng(1)
        for length in (0, 1, 2047, 2048, 2049, 5000, 65537, 300001):
            content = random.integers(0, 256, length, dtype="u1").tobytes()
            crc = 0xFFFFFFFF
            for byte in content:
                crc = crc >> 8 ^ tf_bundle.CRC_LIST[(crc ^ byte) & 255]
            self.assertEqual(tf_bundle.crc_of(content), crc ^ 0xFFFFFFFF, length)

    def test_shapes_that_no_file_has_are_refused(self):
        field, name = self.maker.field, "a" + self.maker.SUFFIX
        for widths in ([1 << 40, 0], [0, 1 << 62], [1 << 62] * 40, [1] * 9, [2, 3]):
            shape = b"".join(field(2, field(1, width)) for width in widths)
            entry = field(1, 1) + field(2, shape) + field(5, 0)
            self.refused(lambda: tf_bundle.load(self.bundle(lambda entries: entries.update({name: entry}))), "m.index")

    def test_tensors_that_share_numbers_are_refused(self):
        numbers = {"a": np.arange(1000.0)}

        def change(entries):
            for count in range(50):
                entries[f"b{count}{self.maker.SUFFIX}"] = entries["a" + self.maker.SUFFIX]
        self.refused(lambda: tf_bundle.load(self.bundle(change, numbers)), "more numbers than the data file holds")


class Texts(Case):
    def test_deep_wide_and_odd_json_is_refused(self):
        deep = b"[" * 200000 + b"]" * 200000
        for content in (b'{"a":' * 200000 + b"1" + b"}" * 200000, b'{"a":' + deep + b"}", b'{"a":' + deep, b"[]", b"", b"\xff", b'{"a": 1e', b"\0" * 100,
                        b'{"a":' + b"9" * 5000 + b"}"):
            self.refused(lambda: foreign.parse_json(content, "x.json"), "x.json")
        self.refused(lambda: foreign.parse_json(b'{"a":[' + b"[]," * 3000000 + b"1]}", "x.json"), "nests or lists more")
        for arguments in (("s6", self.path("a.json", b'{"a":' + deep + b"}")),
                          ("s6", self.path("b.json", b"{}"), "--config", self.path("facts.json", b'{"training":' + b'{"a":' * 200000 + b"1" + b"}" * 200001))):
            code, said = self.run_it(*arguments)
            self.assertEqual(code, 65)
            self.assertIn("nested too deeply", said)

    def test_arrays_of_anything_but_numbers_are_refused(self):
        wide = ["x" * 100000] + [""] * 100000
        for value in (wide, [wide], [[1], [2, 3]], [1, [2]], ["1"], [{}], [None], {"a": 1}, "1", [[[[[[[[[[1]]]]]]]]]], [10 ** 400]):
            self.refused(lambda: foreign.array_of("w", value), "tensor w")
        for value in ([1, 2.5, True], [[1, 2], [3, 4]], 3, [[], []], [2 ** 63]):
            np.testing.assert_array_equal(foreign.array_of("w", value), np.array(value).astype(float))

    def test_numbers_of_any_size_are_judged(self):
        for facts in ({"sample_rate": 10 ** 400}, {"sample_rate": 1e12}, {"sample_rate": 1}, {"memory_samples": 10 ** 400}, {"sample_rate": True},
                      {"controls": [{"name": "a", "unit": "", "min": 0, "max": 1, "default": 0}] * 65}):
            code, said = self.run_it("s6", self.path("m.json", b"{}"), "--config", self.path("facts.json", json.dumps(facts).encode()))
            self.assertEqual(code, 65)
            self.assertIn(next(iter(facts)), said)
        for shape in ([10 ** 400] * 100, [1 << 62, 1 << 62], [0], [True], [1] * 9):
            self.refused(lambda: s6.tensors_of({"a": {"shape": shape, "data": [1.0]}}), "tensor a")

    def test_messages_hold_no_control_characters_and_are_few(self):
        names = {f"\x1b]0;owned\x07{count}\u202e\x9b": np.zeros(1, "f4") for count in range(500)}
        code, said = self.run_it("grey_box", self.path("m.pt", files.archive_of({**names, **grey_box()})))
        self.assertEqual(code, 0, said)
        self.assertTrue(all(c.isprintable() or c == "\n" for c in said), ascii(said[:2000]))
        self.assertLess(len(said.splitlines()), 40)
        self.assertIn("480 more tensors", said)
        code, said = self.run_it("grey_box", self.path("n.pt", files.archive_of({"a" * 1001: np.zeros(1, "f4")})))
        self.assertEqual((code, len(said) < 3000), (65, True))

    def test_hyper_parameters_of_any_type_are_compared_with_none_but_their_own(self):
        for value in (np.zeros(3, "f4"), {"a": 1}, None, 7, files.name("os", "system"), b"](K\1e"):
            path = self.path("m.pt", files.archive_of({"state_dict": {"w": np.zeros(1, "f4")}, "hyper_parameters": {"activation": value, "final_tanh": value}}))
            self.assertEqual(s4d.load(path)[1], {})


def grey_box():
    """The smallest there is, as the published code names it."""
    mlp, smooth, make_up = "static_comp.model.HCNet.", "gain_smooth.model.", "make_up.model."
    return {mlp + "0.weight": np.ones((2, 1), "f4"), mlp + "0.bias": np.zeros(2, "f4"), smooth + "taus": np.full((1, 1, 1), 0.05, "f4"),
            make_up + "gain": np.array([0.1], "f4"), make_up + "bias": np.array([0.0], "f4")}


class Sizes(Case):
    def test_networks_that_are_none_are_refused_with_a_sentence(self):
        """Tensors of any names and shapes: never a traceback, never much time."""
        random = np.random.default_rng(3)
        names = {"s4d": ["expand.weight", "expand.bias", "contract.weight", "contract.bias", "blocks.0.linear.weight", "blocks.0.linear.bias", "blocks.0.s4.log_dt",
                         "blocks.0.s4.log_A_real", "blocks.0.s4.A_imag", "blocks.0.s4.C", "blocks.0.s4.D", "blocks.99999.s4.D", "model.1.weight",
                         "control_parameter_mlp.0.weight", "control_parameter_mlp.99999999999999.weight"],
                 "tcn": ["blocks.0.conv1.weight", "blocks.0.relu.weight", "blocks.0.res.weight", "gen.0.weight", "gen.0.bias", "output.weight"],
                 "lstm": ["rec.weight_hh_l0", "rec.weight_ih_l0", "rec.bias_ih_l0", "rec.bias_hh_l0", "lin.weight", "rec.weight_hh_l9999"],
                 "grey_box": ["static_comp.model.HCNet.0.weight", "static_comp.model.HCNet.0.bias", "gain_smooth.model.taus", "static_comp.model.HCNet." + "9" * 5000 + ".weight"],
                 "s6": [f"layer_with_weights-{n}" for n in ("0/kernel", "0/bias", "1/mixer/A_log", "1/A_log", "2/kernel", "3/dense/kernel", "4/dense/kernel")],
                 "ed_lstm": ["Conv_h/kernel", "Conv_c/kernel", "Dense_cond_h/kernel", "Conv_h/bias"]}
        shapes = [(), (0,), (1,), (3,), (1, 1), (0, 1), (1, 0), (0, 0), (4, 1), (4, 4), (1, 1, 1), (0, 1, 4), (4, 1, 0), (2, 2, 2), (1, 4, 2, 2), (100000, 0), (0, 100000)]
        for family, known in names.items():
            module = import_model.FAMILIES[family]
            for _ in range(150):
                tensors = {name: random.normal(size=shapes[random.integers(len(shapes))]) for name in known if random.random() < 0.7}
                try:
                    take = Take(tensors)
                    rate = module.SAMPLE_RATE(take) if callable(module.SAMPLE_RATE) else module.SAMPLE_RATE
                    controls = module.CONTROLS(take) if callable(module.CONTROLS) else module.CONTROLS
                    with np.errstate(all="ignore"):
                        import_model.converted(module, take, controls, {key: choices[0] for key, choices in module.CONFIG.items()}, rate)
                except Problem:
                    pass

    def test_few_numbers_are_not_made_many_by_a_family(self):
        """Rows that channels share, each with its own copy in the result."""
        tensors = {"expand.weight": np.ones((200000, 1)), "expand.bias": np.ones(200000), "blocks.0.s4.log_A_real": np.zeros((1, 4000))}
        self.refused(lambda: s4d.convert(Take(tensors), [], {key: choices[0] for key, choices in s4d.CONFIG.items()}, 44100), "expand.weight")

    def test_safetensors_are_read_strictly(self):
        good = safetensors.to_bytes({"a": np.arange(3, dtype="f4"), "b": np.array([True]), "c": np.array(7)}, {"x": "y"})
        metadata, tensors = safetensors.parse(good, "f")
        self.assertEqual((metadata, tensors["a"].tolist(), tensors["b"].tolist(), tensors["c"].shape), ({"x": "y"}, [0, 1, 2], [True], ()))

        def made(header, data=b""):
            text = header if isinstance(header, bytes) else json.dumps(header).encode()
            return struct.pack("<Q", len(text)) + text + data
        entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
        for content in (b"", good[:-1], good + b"\0", b"\xff" * 100, made(b"[]"), made({"a": 1}), made({"a": entry}), made({"a": entry, "b": entry}, bytes(4)),
                        made({"a": {**entry, "data_offsets": [4, 8]}}, bytes(8)), made({"a": {**entry, "shape": [2]}}, bytes(4)), made({"a": {**entry, "dtype": "F8"}}, bytes(4)),
                        made({"a": {**entry, "shape": [-1]}}, bytes(4)), made({"a": {**entry, "shape": [1 << 62, 0]}}, bytes(4)), made({"a": {**entry, "shape": [0, 1 << 40]}}),
                        made({"a": {**entry, "data_offsets": [0]}}, bytes(4)), made({"a": {**entry, "data_offsets": [4, 0]}}, bytes(4)), made({"a": {**entry, "more": 1}}, bytes(4)),
                        made({"__metadata__": {"a": 1}}), made({"__metadata__": []}), made(b'{"a":' * 100000), made({"a": {**entry, "shape": [1.0]}}, bytes(4)),
                        made({"a": {**entry, "dtype": []}}, bytes(4))):
            self.refused(lambda: safetensors.parse(content, "f"), "f: ")


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
        self.refuse(lambda file: file.create_dataset("a", data=np.zeros(1000, "f4"), compression="gzip"), "compressed")
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
        self.assertEqual({name: tensor.tolist() for name, tensor in keras_h5.load(self.made(circle)).items()}, {"a/b": [0, 0, 0]})

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
        one = one[:max(places)]
        self.refused(lambda: keras_h5.load(self.path("one.h5", one)), "one.h5")

    def test_damaged_files_are_refused_or_read(self):
        path = self.made(lambda file: file.create_dataset("layer/layer/kernel:0", data=np.arange(300, dtype="f4")))
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


class Tree(unittest.TestCase):
    def test_no_program_here_unpickles(self):
        sys.path.insert(0, os.path.join(SOURCE, "tools"))
        self.addCleanup(sys.path.pop, 0)
        import unpickling
        count = 0
        for folder in ("tools", "tests"):
            for path in glob.glob(os.path.join(SOURCE, folder, "**", "*.py"), recursive=True):
                with open(path, encoding="utf-8") as file:
                    self.assertEqual(unpickling.places_in(file.read(), path), [])
                count += 1
        self.assertGreater(count, 50)
        for bad in ("import torch\ntorch.load('x')", "import torch as t\nt.load('x')", "from torch import load", "import torch\nread = torch.load",
                    "from torch import load as harmless", "import torch\ntorch.jit.load('x')", "from torch import jit\njit.load('x')", "import torch.jit as j\nj.load('x')",
                    "import pickle\npickle.loads(b'')", "from pickle import Unpickler", "import pickle as p\nclass U(p.Unpickler): pass", "import joblib", "import dill",
                    "import numpy\nnumpy.load('x', allow_pickle=True)", "eval('1')", "exec('1')", "import torch\ngetattr(torch, 'load')('x')", "x(weights_only=True)",
                    "def f():\n    import torch\n    return torch.load('x')"):
            self.assertTrue(unpickling.places_in(bad, "bad.py"), bad)
        for good in ("import torch\ntorch.save(1, 'x')", "import json\njson.load(file)", "import pickle\npickle.dumps(1)", "model.eval()", "import numpy\nnumpy.load('x')",
                     "self.load('x')"):
            self.assertEqual(unpickling.places_in(good, "good.py"), [], good)


class Files(Case):
    def test_only_regular_files_are_read_and_nothing_is_waited_for(self):
        os.mkfifo(self.path("fifo"))
        os.symlink(self.path("fifo"), self.path("link"))
        os.symlink(self.path("nowhere"), self.path("broken"))
        begin = time.monotonic()
        for path, code in ((self.path("fifo"), 65), (self.path("link"), 65), (self.folder, 65), ("/dev/zero", 65), ("/dev/null", 65),
                           (self.path("nowhere"), 66), (self.path("broken"), 66), ("/proc/self/mem", 66), ("/proc/self/status", 65), ("a\0b", 66)):
            self.refused(lambda: foreign.read(path), code=code)
            for family in import_model.FAMILIES:
                for arguments in ((path,), (self.path("m.json", b"{}"), "--config", path)):
                    self.assertIn(self.run_it(family, *arguments)[0], (65, 66), (family, arguments))
        self.assertLess(time.monotonic() - begin, 20.0)

    def test_a_name_that_becomes_a_fifo_is_not_waited_for(self):
        os.mkfifo(self.path("fifo"))
        regular = os.stat(self.path("m", b"x"))
        with mock.patch.object(foreign.os, "stat", return_value=regular):
            self.refused(lambda: foreign.read(self.path("fifo")), "no regular file")

    def test_a_file_that_grows_or_is_too_long_is_refused(self):
        self.refused(lambda: foreign.read("/proc/self/status"), "changes while it is read")
        self.refused(lambda: foreign.read(self.path("m", bytes(11)), 10), "at most 10")
        self.assertEqual(foreign.read(self.path("m", bytes(10)), 10), bytes(10))

    def test_what_may_not_be_read_is_said(self):
        with mock.patch.object(foreign.os, "open", side_effect=PermissionError(13, "Permission denied")):
            self.refused(lambda: foreign.read(self.path("m", b"x")), "cannot be read: Permission denied", code=66)


# ------------------------------------------------------------------------------------------------ what they take, and do

def wide_names(field, suffix):
    """An index whose keys repeat a long one again and again: from 20 bytes, kilobytes each."""
    def change(entries):
        for count in range(3000):
            entries["x" * 900 + f"{count:05d}{suffix}"] = field(1, 9)
    return change


class Hostile:
    """Every file by itself: (family, path), in a folder."""

    def __init__(self, folder):
        self.folder, self.all = folder, []
        many, none = 1 << 21, files.pickle(b"N")
        body = files.table([(f"w{k}", files.tensor("Double", "0", 1, [1 << 28], [0])) for k in range(3)])
        self.archive("stride0", body, bytes(8))
        self.archive("same_storage", files.table([(f"w{k}", files.tensor("Byte", "0", 1 << 24, [1 << 24], [1])) for k in range(60)]), bytes(1 << 24))
        self.archive("bytes", files.table([("w", files.tensor("Byte", "0", 1 << 25, [1 << 25], [1]))]), bytes(1 << 25))
        self.archive("memo", files.table([("w", b"Nr" + struct.pack("<I", 1 << 28))]))
        self.add("old_stride0.pt", files.old_form(files.pickle(files.table([("w", files.tensor("Float", "0", 4, [1 << 29], [0], old=True))])), [("0", 4, bytes(16))]))
        for name, codes in (("dictionaries", b"}"), ("lists", b"]"), ("marks", b"("), ("tuples", b")\x85"), ("nested", b"](" * 3), ("objects", b"cos\nsystem\n)R"),
                            ("remembered", b"Nr"), ("long_tuple", b"N\x85"), ("numbers", b"J\0\0\0\1"), ("texts", b"X\1\0\0\0a"), ("got", b"Nq\0" + b"h\0" * 60),
                            ("names", b"ca\nb\n")):
            self.archive("many_" + name, (codes * (many // len(codes) + 1))[:many * 3])
        self.archive("deep_key", b"}" + b")" + b"\x85" * 300000 + b"Ns")
        self.archive("colliding", b"}(" + b"".join(files.number(((1 << 61) - 1) * k) + b"N" for k in range(150000)) + b"u")
        self.archive("many_tensors", files.table([("a", files.tensor("Float", "0", 1, [1], [1]) + b"q\0")] +
                                                 [(f"w{k}", b"h\0") for k in range(200000)]), struct.pack("<f", 1.0))
        self.archive("own_tensors", files.table([(f"w{k}", files.tensor("Float", "0", 1, [1], [1])) for k in range(28000)]), struct.pack("<f", 1.0))
        self.archive("long_names", files.table([("model." * 200000, files.tensor("Float", "0", 1, [1], [1]))]), bytes(4))
        self.archive("long_text", files.table([("w", files.text("\U0001F600" + "a" * (1 << 24)))]))
        self.archive("wide_character", files.table([("x" * (1 << 20) + "\U0001F600", b"N")]))
        self.archive("infinite", files.table([(key, value) for key, value in [("w", files.tensor("Float", "0", 1, [1], [1]))]]), struct.pack("<f", float("nan")))
        self.add("records.pt", files.archive([files.Record("a/data.pkl", none)] + [files.Record(f"a/data/{k}", b"") for k in range(60000)] + [files.Record("a/version", b"3\n")]))
        self.add("noise.pt", np.random.default_rng(1).bytes(1 << 20))
        self.add("zeros.pt", b"PK\3\4" + bytes(1 << 26))
        self.add("wide.json", b'{"a":[' + b"[]," * 3000000 + b"1]}", "tcn")
        self.add("rows.json", b'{"a":{"shape":[1],"data":[' + b"[1]," * 500000 + b"[1]]}}", "s6")
        self.add("ones.json", b'{"a":{"shape":[1],"data":[' + b"1," * 6000000 + b"1]}}", "s6")
        self.add("objects.json", b"{" + b",".join(b'"%x":{}' % k for k in range(300000)) + b"}", "s6")
        self.add("words.json", b'{"a":{"shape":[1],"data":["' + b"x" * 1000000 + b'"' + b',""' * 1000000 + b"]}}", "s6")
        self.add("deep.json", b'{"a":' * 1000000, "lstm")
        if h5py:
            with h5py.File(os.path.join(folder, "sparse.h5"), "w") as file:
                for count in range(40):
                    file.create_dataset(f"a{count}/kernel", (1 << 24,), "f4")
            with h5py.File(os.path.join(folder, "chunks.h5"), "w") as file:
                for count in range(40):
                    file.create_dataset(f"a{count}/kernel", (1 << 24,), "f4", chunks=(1 << 20,))
            self.all += [("ed_lstm", os.path.join(folder, name)) for name in ("sparse.h5", "chunks.h5")]
        with contextlib.redirect_stdout(io.StringIO()):
            import import_s6_test as maker
        maker.write_bundle(os.path.join(folder, "prefix"), {"a": np.arange(3.0)}, change=wide_names(maker.field, maker.SUFFIX))
        huge = maker.field(1, 1) + maker.field(2, maker.field(2, maker.field(1, 1 << 40)) + maker.field(2, b"")) + maker.field(5, 0)
        maker.write_bundle(os.path.join(folder, "huge"), {"a": np.arange(3.0)}, change=lambda entries: entries.update({"a" + maker.SUFFIX: huge}))
        maker.write_bundle(os.path.join(folder, "entries"), {"a": np.arange(3.0)},
                           change=lambda entries: entries.update({f"{k:07d}{maker.SUFFIX}": maker.field(1, 1) for k in range(18000)}))
        self.all += [("s6", os.path.join(folder, name + ".index")) for name in ("prefix", "huge", "entries")]
        self.add("plain.json", b"{}", "s6")
        os.mkfifo(os.path.join(folder, "fifo.pt"))
        self.all.append(("grey_box", os.path.join(folder, "fifo.pt")))
        if torch:
            torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), os.path.join(folder, "script.pt"))
            with open(os.path.join(folder, "script.pt"), "rb") as file:
                self.add("script_tail.pt", file.read() + b"PK\5\6")
            self.all.append(("grey_box", os.path.join(folder, "script.pt")))
        for count, opcodes in enumerate(run()):
            self.archive(f"run{count}", opcodes)
            self.add(f"old_run{count}.pt", files.old_form(files.pickle(files.table([("w", opcodes)])), []))

    def add(self, name, content, family="grey_box"):
        self.all.append((family, files.write(os.path.join(self.folder, name), content)))

    def archive(self, name, opcodes, *numbers):
        self.add(name + ".pt", files.archive(files.records_of(files.pickle(opcodes), [(str(at), data) for at, data in enumerate(numbers)])))


# Imports every file of a list, each in a process of its own, once Python has started. A line each: exit code, seconds of the processor,
# peak of its memory, what was said.
MEASURED = """
import json, os, sys, time
sys.path.insert(0, sys.argv[1])
import import_model
try:
    import h5py
except ImportError:
    pass
for family, path in json.load(open(sys.argv[3])):
    said, write = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(write, 2)
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # the peak begins anew
        begin = time.process_time()
        code = import_model.main([family, path, "-o", sys.argv[2]])
        seconds = time.process_time() - begin
        with open("/proc/self/status") as file:
            peak = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
        sys.stderr.flush()
        os.write(2, ("\\n" + json.dumps([code, seconds, peak])).encode())
        os._exit(0)
    os.close(write)
    with open(said, "rb") as file:
        text, _, numbers = file.read().decode().rpartition("\\n")
    os.waitpid(child, 0)
    print(json.dumps([*(json.loads(numbers) if numbers else [None, 0, 0]), text[-2000:]]), flush=True)
"""

# Imports every file of a list under a hook that hears what Python does: whatever is not on the list below ends up in what it prints.
AUDITED = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
import import_model, resource, io, contextlib, json.decoder, locale, encodings.utf_8_sig
try:
    import h5py, h5py.h5o
except ImportError:
    pass
out, cases, allowed, heard, on = sys.argv[2], json.load(open(sys.argv[3])), set(), [], False
LIBRARY = os.path.dirname(os.__file__)  # of Python, which is imported late in places
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
def hook(event, arguments):
    if not on or event in ("sys._getframe", "object.__getattr__", "object.__setattr__", "object.__delattr__", "builtins.id", "import"):
        return
    if event == "open" and not arguments[2] & WRITING and (arguments[0] in allowed or isinstance(arguments[0], int) or arguments[0].startswith(LIBRARY)):
        return
    if event == "resource.setrlimit" or event == "os.putenv" and arguments[0] == b"HDF5_PLUGIN_PRELOAD":
        return  # by which HDF5 is kept small, and from plug-ins
    heard.append([event, repr(arguments)[:200]])
sys.addaudithook(hook)
with contextlib.redirect_stderr(io.StringIO()):
    import_model.main(["s6", sys.argv[3], "-o", out])  # whatever is imported late
codes = []
for family, path in cases:
    allowed = {path, "/proc/self/statm", path.replace(".index", ".data-00000-of-00001")}
    with contextlib.redirect_stderr(io.StringIO()):
        on = True
        code = import_model.main([family, path, "-o", out])
        on = False
    codes.append(code)
print(json.dumps([codes, heard]))
"""


class Takes(unittest.TestCase):
    """All of them, each as a user would import it."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = cls.temporary.name
        os.mkdir(os.path.join(cls.folder, "hostile"))
        sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
        cls.hostile = Hostile(os.path.join(cls.folder, "hostile"))
        cls.out = os.path.join(cls.folder, "out", "m.safetensors")
        os.mkdir(os.path.dirname(cls.out))

    @classmethod
    def tearDownClass(cls):
        sys.path.pop(0)
        cls.temporary.cleanup()

    def test_each_is_refused_soon_and_takes_little(self):
        listing = files.write(os.path.join(self.folder, "cases.json"), json.dumps(self.hostile.all).encode())
        done = subprocess.run([sys.executable, "-B", "-c", MEASURED, IMPORT, self.out, listing], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        results = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(results), len(self.hostile.all))
        for (family, path), (code, seconds, memory, said) in zip(self.hostile.all, results):
            with self.subTest(os.path.basename(path)):
                size = 0 if path.endswith("fifo.pt") else sum(map(os.path.getsize, glob.glob(path.replace(".index", ".*"))))
                self.assertEqual(code, 65, said)
                self.assertRegex(said, "(?m)^error: ")
                self.assertLess(seconds, SECONDS)
                self.assertLess(memory, TIMES * size + SPARE)
        self.assertEqual(os.listdir(os.path.dirname(self.out)), [])

    def test_nothing_is_run_and_nothing_written(self):
        listing = files.write(os.path.join(self.folder, "cases.json"), json.dumps(self.hostile.all).encode())
        done = subprocess.run([sys.executable, "-B", "-c", AUDITED, IMPORT, self.out, listing], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        codes, heard = json.loads(done.stdout)
        self.assertEqual(codes, [65] * len(self.hostile.all))
        self.assertEqual(heard, [])
        self.assertEqual(os.listdir(os.path.dirname(self.out)), [])

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_the_system_hears_of_no_writing_either(self):
        log, calls = os.path.join(self.folder, "calls"), "trace=open,openat,creat,execve,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,link,symlink,mknod,truncate,socket,connect"
        wanted = ("script.pt", "script_tail.pt", "run0.pt", "old_run0.pt", "stride0.pt", "sparse.h5", "huge.index", "deep.json")
        cases = [case for case in self.hostile.all if os.path.basename(case[1]) in wanted]
        self.assertGreaterEqual(len(cases), 5)
        for family, path in cases:
            done = subprocess.run(["strace", "-f", "-qq", "-e", calls, "-o", log, sys.executable, "-B", os.path.join(IMPORT, "import_model.py"), family, path,
                                   "-o", self.out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if "ptrace" in done.stderr:
                self.skipTest("strace may not trace here")
            self.assertEqual(done.returncode, 65, done.stderr)
            with open(log, encoding="utf-8", errors="replace") as file:
                lines = [line.split(" ", 1)[1].lstrip() for line in file if "= -1" not in line]
            self.assertEqual(sum(line.startswith("execve") for line in lines), 1, path)
            for line in lines:
                writes = any(flag in line for flag in ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC")) and "/dev/null" not in line
                self.assertFalse(writes or not line.startswith(("open", "execve", "+++", "---", "exit")), line)


if __name__ == "__main__":
    if h5py is None:
        print("skipped: Keras files need h5py (Debian: apt install python3-h5py)")
    unittest.main()
