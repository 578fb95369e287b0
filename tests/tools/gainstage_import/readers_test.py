#!/usr/bin/python3
"""The readers of TensorFlow's and text files: what they refuse, and that no size is taken on trust."""

import glob
import json
import os
import struct
import time
import unittest
from unittest import mock

from importing import np
from support import SOURCE

from gainstage_import import __main__ as import_model, conversion
import tf_files
import torch_files as files
import unpickling
from gainstage_files import foreign_file, safetensors
from gainstage_import import s4d, s6, tf_bundle
from gainstage_files.problem import Problem
from gainstage_import.take import Take
from hostile import Case


class Tensorflow(Case):
    def bundle(self, change, tensors=None):
        tf_files.write_bundle(self.path("m"), tensors or {"a": np.arange(3.0)}, change=change)
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
        field, name = tf_files.field, "a" + tf_files.SUFFIX
        for widths in ([1 << 40, 0], [0, 1 << 62], [1 << 62] * 40, [1] * 9, [2, 3]):
            shape = b"".join(field(2, field(1, width)) for width in widths)
            entry = field(1, 1) + field(2, shape) + field(5, 0)
            self.refused(
                lambda: tf_bundle.load(self.bundle(lambda entries: entries.update({name: entry}))), "m.index"
            )

    def test_tensors_that_share_numbers_are_refused(self):
        numbers = {"a": np.arange(1000.0)}

        def change(entries):
            for count in range(50):
                entries[f"b{count}{tf_files.SUFFIX}"] = entries["a" + tf_files.SUFFIX]

        self.refused(
            lambda: tf_bundle.load(self.bundle(change, numbers)), "more numbers than the data file holds"
        )


class Texts(Case):
    def test_deep_wide_and_odd_json_is_refused(self):
        deep = b"[" * 200000 + b"]" * 200000
        for content in (
            b'{"a":' * 200000 + b"1" + b"}" * 200000,
            b'{"a":' + deep + b"}",
            b'{"a":' + deep,
            b"[]",
            b"",
            b"\xff",
            b'{"a": 1e',
            b"\0" * 100,
            b'{"a":' + b"9" * 5000 + b"}",
        ):
            self.refused(lambda: foreign_file.parse_json(content, "x.json"), "x.json")
        for content, cause in (
            ('{"a": 1}'.encode("utf-16"), "UTF-16 text; save the file as UTF-8"),
            (b'{"a": 1}\0\0', "a binary file"),
            (b'{"a": "\xe9"}', "not UTF-8 text; save the file as UTF-8"),
            ("{\n\u201ca\u201d: 1}".encode(), "line 2: typographic quotation marks"),
            # Those within a text are right: it is the comma, and the key.
            ('{"author": "Bob\u2019s",\n "a": 1,}'.encode(), "line 2 column"),
            ('{"author": "Bob\u2019s", "a": 1, "a": 2}'.encode(), 'the key "a" stands there twice'),
            (b" \r\n", "is empty"),
            (b'{"a": {"b": 1, "c": 2, "b": 3}}', 'the key "b" stands there twice'),
            (b'{"a": "\\uD83D"}', "half a character"),
            (b'{"\\udc00": 1}', "half a character"),
        ):
            self.refused(lambda: foreign_file.parse_json(content, "x.json"), "x.json: ", cause)
        whole = b'\xef\xbb\xbf{"a": "\\ud83d\\ude00"}\r\n'
        self.assertEqual(foreign_file.parse_json(whole, "x.json"), {"a": "\U0001f600"})
        self.refused(
            lambda: foreign_file.parse_json(b'{"a":[' + b"[]," * 3000000 + b"1]}", "x.json"),
            "nests or lists more",
        )
        for arguments in (
            ("s6", self.path("a.json", b'{"a":' + deep + b"}")),
            (
                "s6",
                self.path("b.json", b"{}"),
                "--config",
                self.path("facts.json", b'{"training":' + b'{"a":' * 200000 + b"1" + b"}" * 200001),
            ),
        ):
            code, said = self.run_it(*arguments)
            self.assertEqual(code, 65)
            self.assertIn("nested too deeply", said)

    def test_arrays_of_anything_but_numbers_are_refused(self):
        wide = ["x" * 100000] + [""] * 100000
        for value in (
            wide,
            [wide],
            [[1], [2, 3]],
            [1, [2]],
            ["1"],
            [{}],
            [None],
            {"a": 1},
            "1",
            [[[[[[[[[[1]]]]]]]]]],
            [10**400],
        ):
            self.refused(lambda: foreign_file.array_of("w", value), "tensor w")
        for value in ([1, 2.5, True], [[1, 2], [3, 4]], 3, [[], []], [2**63]):
            np.testing.assert_array_equal(foreign_file.array_of("w", value), np.array(value).astype(float))

    def test_numbers_of_any_size_are_judged(self):
        for facts in (
            {"sample_rate": 10**400},
            {"sample_rate": 1e12},
            {"sample_rate": 1},
            {"memory_samples": 10**400},
            {"sample_rate": True},
            {"controls": [{"name": "a", "unit": "", "min": 0, "max": 1, "default": 0}] * 65},
        ):
            code, said = self.run_it(
                "s6",
                self.path("m.json", b"{}"),
                "--config",
                self.path("facts.json", json.dumps(facts).encode()),
            )
            self.assertEqual(code, 65)
            self.assertIn(next(iter(facts)), said)
        for shape in ([10**400] * 100, [1 << 62, 1 << 62], [0], [True], [1] * 9):
            self.refused(lambda: s6.tensors_of({"a": {"shape": shape, "data": [1.0]}}), "tensor a")

    def test_messages_hold_no_control_characters_and_are_few(self):
        names = {f"\x1b]0;owned\x07{count}\u202e\x9b": np.zeros(1, "f4") for count in range(500)}
        code, said = self.run_it("grey_box", self.path("m.pt", files.archive_of({**names, **grey_box()})))
        self.assertEqual(code, 0, said)
        self.assertTrue(all(c.isprintable() or c == "\n" for c in said), ascii(said[:2000]))
        self.assertLess(len(said.splitlines()), 40)
        self.assertIn("480 more tensors", said)
        code, said = self.run_it(
            "grey_box", self.path("n.pt", files.archive_of({"a" * 1001: np.zeros(1, "f4")}))
        )
        self.assertEqual((code, len(said) < 3000), (65, True))

    def test_hyper_parameters_of_any_type_are_compared_with_none_but_their_own(self):
        for value in (np.zeros(3, "f4"), {"a": 1}, None, 7, files.name("os", "system"), b"](K\1e"):
            path = self.path(
                "m.pt",
                files.archive_of(
                    {
                        "state_dict": {"w": np.zeros(1, "f4")},
                        "hyper_parameters": {"activation": value, "final_tanh": value},
                    }
                ),
            )
            self.assertEqual(s4d.load(path)[1], {})


def grey_box():
    """The smallest there is, as the published code names it."""
    mlp, smooth, make_up = "static_comp.model.HCNet.", "gain_smooth.model.", "make_up.model."
    return {
        mlp + "0.weight": np.ones((2, 1), "f4"),
        mlp + "0.bias": np.zeros(2, "f4"),
        smooth + "taus": np.full((1, 1, 1), 0.05, "f4"),
        make_up + "gain": np.array([0.1], "f4"),
        make_up + "bias": np.array([0.0], "f4"),
    }


class Sizes(Case):
    def test_networks_that_are_none_are_refused_with_a_sentence(self):
        """Tensors of any names and shapes: never a traceback, never much time."""
        random = np.random.default_rng(3)
        names = {
            "s4d": [
                "expand.weight",
                "expand.bias",
                "contract.weight",
                "contract.bias",
                "blocks.0.linear.weight",
                "blocks.0.linear.bias",
                "blocks.0.s4.log_dt",
                "blocks.0.s4.log_A_real",
                "blocks.0.s4.A_imag",
                "blocks.0.s4.C",
                "blocks.0.s4.D",
                "blocks.99999.s4.D",
                "model.1.weight",
                "control_parameter_mlp.0.weight",
                "control_parameter_mlp.99999999999999.weight",
            ],
            "tcn": [
                "blocks.0.conv1.weight",
                "blocks.0.relu.weight",
                "blocks.0.res.weight",
                "gen.0.weight",
                "gen.0.bias",
                "output.weight",
            ],
            "lstm": [
                "rec.weight_hh_l0",
                "rec.weight_ih_l0",
                "rec.bias_ih_l0",
                "rec.bias_hh_l0",
                "lin.weight",
                "rec.weight_hh_l9999",
            ],
            "grey_box": [
                "static_comp.model.HCNet.0.weight",
                "static_comp.model.HCNet.0.bias",
                "gain_smooth.model.taus",
                "static_comp.model.HCNet." + "9" * 5000 + ".weight",
            ],
            "s6": [
                f"layer_with_weights-{n}"
                for n in (
                    "0/kernel",
                    "0/bias",
                    "1/mixer/A_log",
                    "1/A_log",
                    "2/kernel",
                    "3/dense/kernel",
                    "4/dense/kernel",
                )
            ],
            "ed_lstm": ["Conv_h/kernel", "Conv_c/kernel", "Dense_cond_h/kernel", "Conv_h/bias"],
        }
        shapes = [
            (),
            (0,),
            (1,),
            (3,),
            (1, 1),
            (0, 1),
            (1, 0),
            (0, 0),
            (4, 1),
            (4, 4),
            (1, 1, 1),
            (0, 1, 4),
            (4, 1, 0),
            (2, 2, 2),
            (1, 4, 2, 2),
            (100000, 0),
            (0, 100000),
        ]
        for family, known in names.items():
            module = conversion.FAMILIES[family]
            for _ in range(150):
                tensors = {
                    name: random.normal(size=shapes[random.integers(len(shapes))])
                    for name in known
                    if random.random() < 0.7
                }
                try:
                    take = Take(tensors)
                    rate = module.SAMPLE_RATE(take) if callable(module.SAMPLE_RATE) else module.SAMPLE_RATE
                    controls = module.CONTROLS(take) if callable(module.CONTROLS) else module.CONTROLS
                    with np.errstate(all="ignore"):
                        conversion.converted(
                            module,
                            take,
                            controls,
                            {key: choices[0] for key, choices in module.CONFIG.items()},
                            rate,
                        )
                except Problem:
                    pass

    def test_few_numbers_are_not_made_many_by_a_family(self):
        """Rows that channels share, each with its own copy in the result."""
        tensors = {
            "expand.weight": np.ones((200000, 1)),
            "expand.bias": np.ones(200000),
            "blocks.0.s4.log_A_real": np.zeros((1, 4000)),
        }
        self.refused(
            lambda: s4d.convert(
                Take(tensors), [], {key: choices[0] for key, choices in s4d.CONFIG.items()}, 44100
            ),
            "expand.weight",
        )

    def test_safetensors_are_read_strictly(self):
        good = safetensors.to_bytes(
            {"a": np.arange(3, dtype="f4"), "b": np.array([True]), "c": np.array(7)}, {"x": "y"}
        )
        metadata, tensors = safetensors.parse(good, "f")
        self.assertEqual(
            (metadata, tensors["a"].tolist(), tensors["b"].tolist(), tensors["c"].shape),
            ({"x": "y"}, [0, 1, 2], [True], ()),
        )

        def made(header, data=b""):
            text = header if isinstance(header, bytes) else json.dumps(header).encode()
            return struct.pack("<Q", len(text)) + text + data

        entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
        for content in (
            b"",
            good[:-1],
            good + b"\0",
            b"\xff" * 100,
            made(b"[]"),
            made({"a": 1}),
            made({"a": entry}),
            made({"a": entry, "b": entry}, bytes(4)),
            made({"a": {**entry, "data_offsets": [4, 8]}}, bytes(8)),
            made({"a": {**entry, "shape": [2]}}, bytes(4)),
            made({"a": {**entry, "dtype": "F8"}}, bytes(4)),
            made({"a": {**entry, "shape": [-1]}}, bytes(4)),
            made({"a": {**entry, "shape": [1 << 62, 0]}}, bytes(4)),
            made({"a": {**entry, "shape": [0, 1 << 40]}}),
            made({"a": {**entry, "data_offsets": [0]}}, bytes(4)),
            made({"a": {**entry, "data_offsets": [4, 0]}}, bytes(4)),
            made({"a": {**entry, "more": 1}}, bytes(4)),
            made({"__metadata__": {"a": 1}}),
            made({"__metadata__": []}),
            made(b'{"a":' * 100000),
            made({"a": {**entry, "shape": [1.0]}}, bytes(4)),
            made({"a": {**entry, "dtype": []}}, bytes(4)),
        ):
            self.refused(lambda: safetensors.parse(content, "f"), "f: ")


class Tree(unittest.TestCase):
    def test_no_program_here_unpickles(self):
        count = 0
        for folder in ("tools", "tests"):
            for path in glob.glob(os.path.join(SOURCE, folder, "**", "*.py"), recursive=True):
                with open(path, encoding="utf-8") as file:
                    self.assertEqual(unpickling.places_in(file.read(), path), [])
                count += 1
        self.assertGreater(count, 50)
        for bad in (
            "import torch\ntorch.load('x')",
            "import torch as t\nt.load('x')",
            "from torch import load",
            "import torch\nread = torch.load",
            "from torch import load as harmless",
            "import torch\ntorch.jit.load('x')",
            "from torch import jit\njit.load('x')",
            "import torch.jit as j\nj.load('x')",
            "import pickle\npickle.loads(b'')",
            "from pickle import Unpickler",
            "import pickle as p\nclass U(p.Unpickler): pass",
            "import joblib",
            "import dill",
            "import numpy\nnumpy.load('x', allow_pickle=True)",
            "eval('1')",
            "exec('1')",
            "import torch\ngetattr(torch, 'load')('x')",
            "x(weights_only=True)",
            "def f():\n    import torch\n    return torch.load('x')",
        ):
            self.assertTrue(unpickling.places_in(bad, "bad.py"), bad)
        for good in (
            "import torch\ntorch.save(1, 'x')",
            "import json\njson.load(file)",
            "import pickle\npickle.dumps(1)",
            "model.eval()",
            "import numpy\nnumpy.load('x')",
            "self.load('x')",
        ):
            self.assertEqual(unpickling.places_in(good, "good.py"), [], good)


class Files(Case):
    def test_only_regular_files_are_read_and_nothing_is_waited_for(self):
        os.mkfifo(self.path("fifo"))
        os.symlink(self.path("fifo"), self.path("link"))
        os.symlink(self.path("nowhere"), self.path("broken"))
        begin = time.monotonic()
        for path, code in (
            (self.path("fifo"), 65),
            (self.path("link"), 65),
            (self.folder, 66),
            (self.folder + "/", 66),
            ("/dev/zero", 65),
            ("/dev/null", 65),
            (self.path("nowhere"), 66),
            (self.path("broken"), 66),
            ("/proc/self/mem", 66),
            ("/proc/self/status", 65),
            ("a\0b", 66),
        ):
            self.refused(lambda: foreign_file.read(path), code=code)
            for family in import_model.FAMILIES:
                for arguments in ((path,), (self.path("m.json", b"{}"), "--config", path)):
                    self.assertIn(self.run_it(family, *arguments)[0], (65, 66), (family, arguments))
        self.assertLess(time.monotonic() - begin, 20.0)

    def test_a_name_that_becomes_a_fifo_is_not_waited_for(self):
        os.mkfifo(self.path("fifo"))
        regular = os.stat(self.path("m", b"x"))
        with mock.patch.object(foreign_file.os, "stat", return_value=regular):
            self.refused(lambda: foreign_file.read(self.path("fifo")), "no regular file")

    def test_a_file_that_grows_or_is_too_long_is_refused(self):
        self.refused(lambda: foreign_file.read("/proc/self/status"), "changes while it is read")
        self.refused(lambda: foreign_file.read(self.path("m", bytes(11)), 10), "at most 10")
        self.assertEqual(foreign_file.read(self.path("m", bytes(10)), 10), bytes(10))

    def test_what_may_not_be_read_is_said(self):
        with mock.patch.object(foreign_file.os, "open", side_effect=PermissionError(13, "Permission denied")):
            self.refused(
                lambda: foreign_file.read(self.path("m", b"x")), "cannot be read: Permission denied", code=66
            )


if __name__ == "__main__":
    unittest.main()
