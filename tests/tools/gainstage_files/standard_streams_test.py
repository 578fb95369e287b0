#!/usr/bin/python3
"""Standard streams of the Python command lines: closed, full, or without a reader."""

import os
import subprocess
import sys
import tempfile
import unittest

from support import TOOLS

PRINTS = """import sys
from gainstage_files import standard_streams

def main(words, code):
    for word in words:
        print(word, flush=True)
    print("a message", file=sys.stderr)
    with open(sys.argv[1], "w") as file:
        file.write("what was made")
    return code

standard_streams.run(main, sys.argv[3:], int(sys.argv[2]))
"""
CLOSED = "standard output: cannot be written: it was closed at the start"


class Streams(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = lambda name: os.path.join(folder.name, name)
        with open(self.path("prints.py"), "w", encoding="utf-8") as file:
            file.write(PRINTS)

    def shell(self, command):
        """-> (exit code, standard output, standard error)"""
        done = subprocess.run(
            ["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    def prints(self, streams, code=0, words="the product"):
        return self.shell(
            f"'{sys.executable}' -B '{self.path('prints.py')}' '{self.path('made')}' {code} {words} {streams}"
        )

    def made(self):
        with open(self.path("made"), encoding="utf-8") as file:
            return file.read()

    def test_a_product_that_arrives_leaves_the_exit_code_alone(self):
        self.assertEqual(self.prints(""), (0, "the\nproduct\n", "a message\n"))
        self.assertEqual(self.prints("", code=65)[0], 65)

    def test_a_product_that_is_lost_ends_with_73_and_a_sentence(self):
        for streams, part in (
            (">&-", CLOSED),
            (">/dev/full", "No space left on device; a part of it is missing"),
            ("<&- >&-", CLOSED),
        ):
            code, out, said = self.prints(streams)
            self.assertEqual((code, out), (73, ""), said)
            self.assertIn(part, said)
            self.assertEqual(self.made(), "what was made")
            self.assertEqual(self.prints(streams, code=66)[0], 66)

    def test_a_reader_that_has_seen_enough_is_told_nothing(self):
        code, _, said = self.shell(
            f"('{sys.executable}' -B '{self.path('prints.py')}' '{self.path('made')}' 0 "
            f"$(seq 20000); echo code $? >&2) | head -1"
        )
        self.assertEqual((code, said), (0, "a message\ncode 73\n"))

    def test_without_a_product_standard_output_may_be_closed(self):
        self.assertEqual(self.prints(">&-", words=""), (0, "", "a message\n"))

    def test_messages_that_are_lost_change_nothing(self):
        for streams in ("2>&-", "2>/dev/full", "<&- 2>&-"):
            self.assertEqual(self.prints(streams), (0, "the\nproduct\n", ""))
            self.assertEqual(self.made(), "what was made")
        self.assertEqual(self.prints(">&- 2>&-")[0], 73)
        self.assertEqual(self.made(), "what was made")

    def test_the_command_lines_do_so(self):
        programs = [f"'{sys.executable}' -B '{os.path.join(TOOLS, 'import_model')}'"]
        programs += [
            f"'{sys.executable}' -B -m {name}"
            for name in (
                "gainstage_import",
                "gainstage_train",
                "gainstage_train.evaluate",
                "gainstage_train.card",
                "gainstage_experiments",
            )
        ]
        for program in programs:
            with self.subTest(program):
                code, out, said = self.shell(f"{program} --help")
                self.assertEqual((code, said), (0, ""))
                self.assertIn("usage:", out)
                code, _, said = self.shell(f"{program} --help >&-")
                self.assertEqual(code, 73)
                self.assertIn(CLOSED, said)
                self.assertEqual(self.shell(f"{program} --nonsense 2>&-"), (64, "", ""))


if __name__ == "__main__":
    unittest.main()
