#!/usr/bin/python3
"""Signals that ask a Python command to end: files in work are cleared away, and the code says which signal it was."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from support import TOOLS

from gainstage_files import end_signals

# Makes a temporary folder and a file, and says so when the file is almost finished.
WORKS = """import os, sys, tempfile, time
from gainstage_files import new_file, standard_streams

def sync(descriptor):
    print("works", flush=True)
    time.sleep(60)

def main(place):
    os.fsync = sync
    with tempfile.TemporaryDirectory(dir=place):
        new_file.write(place + "/made", b"all of it")

standard_streams.run(main, sys.argv[1])
"""
PATIENCE_S = 30.0


class Ended(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def start(self, ignores=()):
        def before():
            for number in ignores:
                signal.signal(number, signal.SIG_IGN)

        process = subprocess.Popen(
            [sys.executable, "-B", "-c", WORKS, self.folder],
            env={**os.environ, "PYTHONPATH": TOOLS},
            preexec_fn=before,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "works\n")
        self.assertEqual(len(os.listdir(self.folder)), 2)
        return process

    def test_each_ends_it_in_order(self):
        self.assertGreaterEqual(len(end_signals.SIGNALS), 4)
        for number in end_signals.SIGNALS:
            with self.subTest(signal.Signals(number).name):
                process = self.start()
                process.send_signal(number)
                self.assertEqual(process.wait(PATIENCE_S), 128 + number)
                self.assertEqual(process.stderr.read(), "")
                self.assertEqual(os.listdir(self.folder), [])

    def test_what_was_ignored_at_the_start_stays_ignored(self):
        process = self.start(ignores=[signal.SIGHUP])
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE_S), 128 + signal.SIGTERM)
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    unittest.main()
