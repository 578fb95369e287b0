#!/usr/bin/python3
"""Files from strangers: what the importer refuses, that it runs and writes nothing meanwhile, and how little
it takes. PyTorch is not needed, except to make programs of TorchScript."""

import glob
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

from importing import h5py, np, torch

import judged
import tf_files
import torch_files as files


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
        self.archive(
            "same_storage",
            files.table([(f"w{k}", files.tensor("Byte", "0", 1 << 24, [1 << 24], [1])) for k in range(60)]),
            bytes(1 << 24),
        )
        self.archive(
            "bytes", files.table([("w", files.tensor("Byte", "0", 1 << 25, [1 << 25], [1]))]), bytes(1 << 25)
        )
        self.archive("memo", files.table([("w", b"Nr" + struct.pack("<I", 1 << 28))]))
        self.add(
            "old_stride0.pt",
            files.old_form(
                files.pickle(files.table([("w", files.tensor("Float", "0", 4, [1 << 29], [0], old=True))])),
                [("0", 4, bytes(16))],
            ),
        )
        for name, codes in (
            ("dictionaries", b"}"),
            ("lists", b"]"),
            ("marks", b"("),
            ("tuples", b")\x85"),
            ("nested", b"](" * 3),
            ("objects", b"cos\nsystem\n)R"),
            ("remembered", b"Nr"),
            ("long_tuple", b"N\x85"),
            ("numbers", b"J\0\0\0\1"),
            ("texts", b"X\1\0\0\0a"),
            ("got", b"Nq\0" + b"h\0" * 60),
            ("names", b"ca\nb\n"),
        ):
            self.archive("many_" + name, (codes * (many // len(codes) + 1))[: many * 3])
        self.archive("deep_key", b"}" + b")" + b"\x85" * 300000 + b"Ns")
        self.archive(
            "colliding",
            b"}(" + b"".join(files.number(((1 << 61) - 1) * k) + b"N" for k in range(150000)) + b"u",
        )
        self.archive(
            "many_tensors",
            files.table(
                [("a", files.tensor("Float", "0", 1, [1], [1]) + b"q\0")]
                + [(f"w{k}", b"h\0") for k in range(200000)]
            ),
            struct.pack("<f", 1.0),
        )
        self.archive(
            "own_tensors",
            files.table([(f"w{k}", files.tensor("Float", "0", 1, [1], [1])) for k in range(28000)]),
            struct.pack("<f", 1.0),
        )
        self.archive(
            "long_names",
            files.table([("model." * 200000, files.tensor("Float", "0", 1, [1], [1]))]),
            bytes(4),
        )
        self.archive("long_text", files.table([("w", files.text("\U0001f600" + "a" * (1 << 24)))]))
        self.archive("wide_character", files.table([("x" * (1 << 20) + "\U0001f600", b"N")]))
        self.archive(
            "infinite",
            files.table([(key, value) for key, value in [("w", files.tensor("Float", "0", 1, [1], [1]))]]),
            struct.pack("<f", float("nan")),
        )
        self.add(
            "records.pt",
            files.archive(
                [files.Record("a/data.pkl", none)]
                + [files.Record(f"a/data/{k}", b"") for k in range(60000)]
                + [files.Record("a/version", b"3\n")]
            ),
        )
        self.add("noise.pt", np.random.default_rng(1).bytes(1 << 20))
        self.add("zeros.pt", b"PK\3\4" + bytes(1 << 26))
        self.add("wide.json", b'{"a":[' + b"[]," * 3000000 + b"1]}", "tcn")
        self.add("rows.json", b'{"a":{"shape":[1],"data":[' + b"[1]," * 500000 + b"[1]]}}", "s6")
        self.add("ones.json", b'{"a":{"shape":[1],"data":[' + b"1," * 6000000 + b"1]}}", "s6")
        self.add("objects.json", b"{" + b",".join(b'"%x":{}' % k for k in range(300000)) + b"}", "s6")
        self.add(
            "words.json",
            b'{"a":{"shape":[1],"data":["' + b"x" * 1000000 + b'"' + b',""' * 1000000 + b"]}}",
            "s6",
        )
        self.add("deep.json", b'{"a":' * 1000000, "lstm")
        if h5py:
            with h5py.File(os.path.join(folder, "sparse.h5"), "w") as file:
                for count in range(40):
                    file.create_dataset(f"a{count}/kernel", (1 << 24,), "f4")
            with h5py.File(os.path.join(folder, "chunks.h5"), "w") as file:
                for count in range(40):
                    file.create_dataset(f"a{count}/kernel", (1 << 24,), "f4", chunks=(1 << 20,))
            self.all += [("ed_lstm", os.path.join(folder, name)) for name in ("sparse.h5", "chunks.h5")]
        tf_files.write_bundle(
            os.path.join(folder, "prefix"),
            {"a": np.arange(3.0)},
            change=wide_names(tf_files.field, tf_files.SUFFIX),
        )
        huge = (
            tf_files.field(1, 1)
            + tf_files.field(2, tf_files.field(2, tf_files.field(1, 1 << 40)) + tf_files.field(2, b""))
            + tf_files.field(5, 0)
        )
        tf_files.write_bundle(
            os.path.join(folder, "huge"),
            {"a": np.arange(3.0)},
            change=lambda entries: entries.update({"a" + tf_files.SUFFIX: huge}),
        )
        tf_files.write_bundle(
            os.path.join(folder, "entries"),
            {"a": np.arange(3.0)},
            change=lambda entries: entries.update(
                {f"{k:07d}{tf_files.SUFFIX}": tf_files.field(1, 1) for k in range(18000)}
            ),
        )
        self.all += [("s6", os.path.join(folder, name + ".index")) for name in ("prefix", "huge", "entries")]
        self.add("plain.json", b"{}", "s6")
        os.mkfifo(os.path.join(folder, "fifo.pt"))
        self.all.append(("grey_box", os.path.join(folder, "fifo.pt")))
        if torch:
            torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), os.path.join(folder, "script.pt"))
            with open(os.path.join(folder, "script.pt"), "rb") as file:
                self.add("script_tail.pt", file.read() + b"PK\5\6")
            self.all.append(("grey_box", os.path.join(folder, "script.pt")))
        for count, opcodes in enumerate(files.programs(os.path.join(folder, "was-run"))):
            self.archive(f"run{count}", opcodes)
            self.add(f"old_run{count}.pt", files.old_form(files.pickle(files.table([("w", opcodes)])), []))

    def add(self, name, content, family="grey_box"):
        self.all.append((family, files.write(os.path.join(self.folder, name), content)))

    def archive(self, name, opcodes, *numbers):
        self.add(
            name + ".pt",
            files.archive(
                files.records_of(files.pickle(opcodes), [(str(at), data) for at, data in enumerate(numbers)])
            ),
        )


# Imports every file of a list under a hook that hears what Python does: whatever is not on the list below
# ends up in what it prints.
AUDITED = """
import json, os, sys
from gainstage_import import __main__ as import_model, conversion
import resource, io, contextlib, json.decoder, locale, encodings.utf_8_sig
try:
    import h5py, h5py.h5o
except ImportError:
    pass
out, cases, allowed, heard, on = sys.argv[1], json.load(open(sys.argv[2])), set(), [], False
LIBRARY = os.path.dirname(os.__file__)  # of Python, which is imported late in places
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
def hook(event, arguments):
    if not on or event in ("sys._getframe", "object.__getattr__", "object.__setattr__", "object.__delattr__", "builtins.id", "import"):
        return
    if event == "open" and not arguments[2] & WRITING and (isinstance(arguments[0], int) or arguments[0].startswith(LIBRARY)
            or arguments[0] in allowed and (arguments[0].startswith("/") or arguments[2] & os.O_NOFOLLOW)):
        return
    if event == "open" and arguments[2] & os.O_PATH:
        return  # a step on the way to a file: nothing can be read or written by it
    if event == "resource.setrlimit" or event == "os.putenv" and arguments[0] == b"HDF5_PLUGIN_PRELOAD":
        return  # by which HDF5 is kept small, and from plug-ins
    heard.append([event, repr(arguments)[:200]])
sys.addaudithook(hook)
with contextlib.redirect_stderr(io.StringIO()):
    import_model.main(["s6", sys.argv[2], "-o", out])  # whatever is imported late
codes = []
for family, path in cases:
    allowed = {path, "/proc/self/statm", path.replace(".index", ".data-00000-of-00001")}
    allowed |= {os.path.basename(file) for file in allowed}  # in the folder at the end of the way
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
        cls.hostile = Hostile(os.path.join(cls.folder, "hostile"))
        cls.out = os.path.join(cls.folder, "out", "m.safetensors")
        os.mkdir(os.path.dirname(cls.out))

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_each_is_refused_soon_and_takes_little(self):
        results = judged.measured(self, self.hostile.all, self.out, self.folder)
        for (_, path), result in zip(self.hostile.all, results):
            is_fifo = path.endswith("fifo.pt")
            parts = [] if is_fifo else glob.glob(path.replace(".index", ".*"))
            judged.judge(self, path, sum(map(os.path.getsize, parts)), *result)
        self.assertEqual(os.listdir(os.path.dirname(self.out)), [])

    def test_nothing_is_run_and_nothing_written(self):
        listing = files.write(os.path.join(self.folder, "cases.json"), json.dumps(self.hostile.all).encode())
        done = subprocess.run(
            [sys.executable, "-B", "-c", AUDITED, self.out, listing],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        codes, heard = json.loads(done.stdout)
        self.assertEqual(codes, [65] * len(self.hostile.all))
        self.assertEqual(heard, [])
        self.assertEqual(os.listdir(os.path.dirname(self.out)), [])

    def test_the_system_hears_of_no_writing_either(self):
        log = os.path.join(self.folder, "calls")
        watched_by = judged.strace(log)
        for family, path in self.hostile.all:
            with self.subTest(os.path.basename(path)):
                done = subprocess.run(
                    [*watched_by, *judged.importer(family, path, self.out)],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                self.assertEqual(done.returncode, 65, done.stderr)
                self.assertEqual(judged.unwanted(log), [])
        self.assertEqual(os.listdir(os.path.dirname(self.out)), [])


if __name__ == "__main__":
    if h5py is None:
        print("skipped: Keras files need h5py (Debian: apt install python3-h5py)")
    unittest.main()
