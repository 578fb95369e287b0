#!/usr/bin/python3
"""Texts of strangers in what the importer says: no character of them steers a terminal, and none begins a
line."""

import contextlib
import io
import json
import os
import tempfile
import unittest

from gainstage_import import __main__ as import_model
from gainstage_files import plain_text
from gainstage_files.problem import Problem

STEERING = "\x1b]0;owned\x07\r\nFORGED line\n\t\x7f\x80\x9b\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\udce9"


def is_plain(text):
    return all(line.isprintable() and not line.startswith("FORGED") for line in text.split("\n"))


class Plain(unittest.TestCase):
    def test_pieces_messages_and_pages(self):
        self.assertTrue(plain_text.shown(STEERING).isprintable())
        self.assertEqual(plain_text.shown("K\u00fcrbis \u2581"), "K\u00fcrbis \u2581")
        self.assertEqual(plain_text.message("a\nb"), "a\\nb")
        self.assertEqual(plain_text.message(["a\nb", "c"]), "a\\nb\nc")
        self.assertEqual(plain_text.page("a\x1b\nb"), "a\\x1b\nb")
        self.assertTrue(is_plain(str(Problem(STEERING))))

    def test_the_importer_says_nothing_that_steers(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "n" + STEERING)
        os.mkdir(path)

        def file(name, content):
            with open(os.path.join(path, name), "wb") as made:
                made.write(content)
            return os.path.join(path, name)

        text = STEERING[:-1]  # as JSON: halves of characters are no UTF-8
        weights = file(
            "weights.json",
            json.dumps({text: [1.0], "model_data": {text: text}, "state_dict": {text: [[text]]}}).encode(),
        )
        facts = file(
            "facts.json", json.dumps({text: text, "sample_rate": text, "controls": [{"name": text}]}).encode()
        )
        trials = [
            [text, weights, "-o", "x"],
            ["lstm", weights, "-o", path + "/x", "--" + text],
            ["lstm", os.path.join(path, "none"), "-o", "x"],
            ["lstm", file("empty.pt", b""), "-o", os.path.join(path, "x")],
            ["lstm", weights, "-o", weights],
            ["grey_box", weights, "-o", os.path.join(path, "none", "x")],
        ]
        trials += [
            [family, weights, "-o", os.path.join(path, "x"), *more]
            for family in import_model.FAMILIES
            for more in ([], ["--config", facts], ["--config", os.path.join(path, "none")])
        ]
        told = 0
        for arguments in trials:
            said = io.StringIO()
            with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
                try:
                    code = import_model.main(arguments)
                except SystemExit as end:
                    code = end.code
            self.assertNotEqual(code, 0)
            told += "owned" in said.getvalue()
            self.assertTrue(is_plain(said.getvalue()), ascii(said.getvalue()))
        self.assertGreater(told, 15)


if __name__ == "__main__":
    unittest.main()
