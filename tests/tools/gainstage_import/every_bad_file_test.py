#!/usr/bin/python3
"""Every bad checkpoint that any test of the importer makes, imported as a user would: 65 soon and with little,
no file is written, nothing is run, nobody is called."""

import functools
import glob
import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
import unittest
from unittest import mock

import importing  # noqa: F401  ends the program where numpy is missing

import judged
from gainstage_files.problem import Problem
from gainstage_import import __main__ as import_model
from gainstage_import import checkpoint, ed_lstm, keras_h5, s4d, s6, tcn, tf_bundle

# The tests that make bad files. Those of hostile_files_test.py are judged there.
TESTS = (
    "torch_files_test",
    "readers_test",
    "keras_files_test",
    "s4d_test",
    "s6_test",
    "tcn_test",
    "command_test",
    "plain_text_test",
)
# Who reads a file, and a family whose checkpoints it reads.
READERS = (
    (checkpoint, "load", "grey_box"),
    (checkpoint, "load_with_hyper_parameters", "grey_box"),
    (keras_h5, "load", "ed_lstm"),
    (tf_bundle, "load", "s6"),
    (s6, "load", "s6"),
    (ed_lstm, "load", "ed_lstm"),
    (s4d, "load", "s4d"),
    (tcn, "load", "tcn"),
)
LARGEST = 64 << 20
TOGETHER = 100  # in a process; forks of Python with its libraries take most of the time
# What tests of bad files are called. The others take long, and refuse nothing.
BAD = re.compile(
    "refuse|damage|spoilt|lie|bad|wrong|odd|nothing|more_or_less|bound|few|share|stay|object|exit_code|control_char"
)


class Collector:
    """Keeps a copy of every file that is refused with 65 while the tests run."""

    def __init__(self, folder):
        self.folder, self.cases, self.known = folder, [], set()

    def keep(self, family, path, facts=None):
        files = self.files_of(path)
        if not files or (facts and not os.path.isfile(facts)):
            return
        mark = hashlib.sha256(family.encode())
        for name in (*files, *([facts] if facts else [])):
            with open(name, "rb") as file:
                mark.update(os.path.splitext(name)[1].encode() + b"\0" + file.read())
        if mark.digest() in self.known:
            return
        self.known.add(mark.digest())
        place = os.path.join(self.folder, str(len(self.cases)))
        os.mkdir(place)
        for name in files:
            shutil.copy(name, place)
        more = ["--config", shutil.copy(facts, os.path.join(place, "the-facts.json"))] if facts else []
        self.cases.append((family, os.path.join(place, os.path.basename(path)), *more))

    @staticmethod
    def files_of(path):
        """The file, or the two of a TensorFlow checkpoint. None: what is no file can't be kept."""
        path = os.fspath(path)
        parts = glob.glob(glob.escape(path.removesuffix(".index")) + ".*")
        files = [path] if os.path.lexists(path) and not path.endswith(".index") else parts
        regular = all(stat.S_ISREG(os.lstat(name).st_mode) and os.access(name, os.R_OK) for name in files)
        small = regular and not path.startswith("/proc") and sum(map(os.path.getsize, files)) <= LARGEST
        return files if small else []

    def watch(self, read, family):
        @functools.wraps(read)
        def watched(path, *more):
            try:
                return read(path, *more)
            except Problem as problem:
                if problem.exit_code == 65:
                    self.keep(family, path)
                raise

        return watched

    def watch_main(self, main):
        def watched(words):
            code = main(words)
            if code == 65:
                self.keep_words(words)
            return code

        return watched

    def watch_run(self, run):
        def watched(words, *more, **named):
            done = run(words, *more, **named)
            at = next((k for k, word in enumerate(words) if str(word).endswith("import_model")), None)
            if at is not None and done.returncode == 65:
                self.keep_words(words[at + 1 :])
            return done

        return watched

    def keep_words(self, words):
        words = list(map(os.fspath, words))
        facts = words[words.index("--config") + 1] if "--config" in words else None
        self.keep(words[0], words[1], facts)


def each_of(suite):
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from each_of(part)
        else:
            yield part


def is_of_bad_files(test):
    return BAD.search(test.id().rpartition(".")[2]) is not None


def run_tests(collector):
    """The tests as ctest runs them, but that each refused file is kept."""
    with mock.patch.object(import_model, "main", collector.watch_main(import_model.main)):
        with mock.patch.object(subprocess, "run", collector.watch_run(subprocess.run)):
            patches = [
                mock.patch.object(module, name, collector.watch(getattr(module, name), family))
                for module, name, family in READERS
            ]
            for each in patches:
                each.start()
            try:
                suite = unittest.TestSuite(
                    filter(is_of_bad_files, each_of(unittest.defaultTestLoader.loadTestsFromNames(TESTS)))
                )
                return unittest.TextTestRunner(stream=open(os.devnull, "w")).run(suite)
            finally:
                for each in patches:
                    each.stop()


class EveryBadFile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = temporary.name
        for name in ("bad", "out"):
            os.mkdir(os.path.join(cls.folder, name))
        cls.out = os.path.join(cls.folder, "out", "m.safetensors")
        collector = Collector(os.path.join(cls.folder, "bad"))
        cls.tests, cls.cases = run_tests(collector), collector.cases

    def judge(self, results):
        for (_, path, *_), result in zip(self.cases, results):
            size = sum(map(os.path.getsize, glob.glob(os.path.join(os.path.dirname(path), "*"))))
            judged.judge(self, path, size, *result)
        self.assertEqual(os.listdir(os.path.dirname(self.out)), [])

    def test_there_are_many_of_all_kinds(self):
        self.assertTrue(self.tests.wasSuccessful(), self.tests.failures + self.tests.errors)
        print(f"{len(self.cases)} bad checkpoints")
        self.assertGreater(len(self.cases), 2000)
        families = {family for family, *_ in self.cases}
        self.assertGreaterEqual(families, {"grey_box", "tcn", "s6", "s4d", "lstm"})

    def test_each_is_refused_soon_takes_little_and_nothing_else_happens(self):
        log, watched_by, why_not = os.path.join(self.folder, "calls"), (), None
        try:
            watched_by = judged.strace(log)
        except unittest.SkipTest as reason:
            why_not = reason
        results = judged.measured(self, self.cases, self.out, self.folder, watched_by, TOGETHER)
        self.judge(results)
        if why_not:
            raise why_not
        self.assertEqual(judged.unwanted(log, ("/dev/null", "/proc/self/clear_refs")), [])


if __name__ == "__main__":
    unittest.main()
