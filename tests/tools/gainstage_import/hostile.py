"""What the tests of hostile files share: a folder, and how a file is refused."""

import contextlib
import io
import os
import tempfile
import unittest

from importing import np

from gainstage_import import __main__ as import_model
import torch_files as files
from gainstage_import import checkpoint
from gainstage_files.problem import Problem


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
        return {
            name: np.asarray(tensor)
            for name, tensor in checkpoint.load(self.path("m.pt", content), ()).items()
        }

    def run_it(self, family, path, *more):
        """-> exit code, what was said"""
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            return (
                import_model.main([family, path, "-o", self.path("out.safetensors"), *more]),
                said.getvalue(),
            )
