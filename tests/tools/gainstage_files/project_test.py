#!/usr/bin/python3
"""The Python tools as one project: what tools/pyproject.toml says is true, and its packages see each other
one way."""

import ast
import glob
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import unittest
from unittest import mock

from gainstage_files import libraries
from support import SOURCE, TOOLS

# A package may import those before it.
ORDER = ("gainstage_files", "gainstage_import", "gainstage_train", "gainstage_experiments")
ALONE = """import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*sorted({"torch", "numba", "scipy", "h5py", "soundfile"} & sys.modules.keys()))
"""


def project():
    with open(os.path.join(TOOLS, "pyproject.toml"), "rb") as file:
        return tomllib.load(file)


def files_of(package):
    return sorted(glob.glob(os.path.join(TOOLS, package, "**", "*.py"), recursive=True))


def imported_by(path):
    """-> the packages that a file imports, relative imports left out"""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read(), path)
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.partition(".")[0] for name in names}


class Project(unittest.TestCase):
    def test_its_version_is_that_of_the_program(self):
        with open(os.path.join(SOURCE, "CMakeLists.txt"), encoding="utf-8") as file:
            version = re.search(r"project\(gainstage VERSION (\S+)", file.read())[1]
        self.assertEqual(project()["project"]["version"], version)

    def test_every_command_is_there(self):
        scripts = project()["project"]["scripts"]
        self.assertGreater(len(scripts), 3)
        for name, place in scripts.items():
            module, function = place.split(":")
            with open(importlib.util.find_spec(module).origin, encoding="utf-8") as file:
                self.assertIn(f"\ndef {function}(", file.read(), name)

    def test_no_package_is_forgotten(self):
        packages = sorted(
            name for name in os.listdir(TOOLS) if os.path.isfile(os.path.join(TOOLS, name, "__init__.py"))
        )
        self.assertEqual(packages, sorted(ORDER))

    def test_a_package_imports_only_those_before_it(self):
        for place, package in enumerate(ORDER):
            for path in files_of(package):
                seen = imported_by(path) & {*ORDER}
                self.assertLessEqual(seen, {*ORDER[:place]}, path)

    def test_files_and_the_importer_load_numpy_alone(self):
        modules = [
            os.path.relpath(path, TOOLS)[:-3].replace(os.sep, ".")
            for package in ORDER[:2]
            for path in files_of(package)
        ]
        self.assertGreater(len(modules), 25)
        done = subprocess.run(
            [sys.executable, "-B", "-c", ALONE, *modules], stdout=subprocess.PIPE, text=True, check=True
        )
        self.assertEqual(done.stdout.split(), [])

    def test_a_library_that_is_missing_is_named_with_this_python(self):
        for module, arguments in (
            ("gainstage_import", ["grey_box", "x.ckpt", "-o", "x.safetensors"]),
            ("gainstage_import.textbook", []),
            ("gainstage_train", ["grey_box", "--data", "x", "-o", "x.safetensors"]),
            ("gainstage_train.data.generate", []),
        ):
            alone = (
                "import runpy, sys; sys.modules['numpy'] = None; "
                f"runpy.run_module('{module}', run_name='__main__')"
            )
            done = subprocess.run(
                [sys.executable, "-B", "-c", alone, *arguments],
                capture_output=True,
                text=True,
                cwd=TOOLS,
            )
            self.assertEqual(done.returncode, 78, module + done.stderr)
            self.assertIn(f"numpy is not installed for {sys.executable}", done.stderr)

    def test_the_remedy_names_the_python_that_has_the_library(self):
        ours, debian = "/opt/python/bin/python3", "/usr/bin/python3"
        with (
            mock.patch.object(libraries.sys, "executable", ours),
            mock.patch.object(libraries.shutil, "which", return_value="/usr/bin/apt"),
        ):
            with mock.patch.object(libraries, "runs_debian", return_value=True):
                self.assertEqual(libraries.remedy("numpy", ("numpy",)), "apt install python3-numpy")
                with mock.patch.object(libraries.shutil, "which", return_value=None):
                    said = libraries.remedy("numpy", ("numpy",))
                    self.assertIn(f"package of numpy for Python, or {ours} -m pip install numpy", said)
                    self.assertNotIn("apt", said)
            with (
                mock.patch.object(libraries, "runs_debian", return_value=False),
                mock.patch.object(libraries.os.path, "exists", return_value=True),
            ):
                with mock.patch.object(libraries, "has", return_value=True):
                    said = libraries.remedy("numpy", ("numpy",))
                self.assertTrue(said.startswith(f"{debian} has it; begin the command with that"), said)
                self.assertNotIn("apt", said)
                with mock.patch.object(libraries, "has", return_value=False):
                    said = libraries.remedy("numpy", ("numpy",))
                self.assertIn(f"apt install python3-numpy and begin the command with {debian}", said)
                self.assertIn(f"{ours} -m pip install numpy", said)

    def test_another_python_is_asked_for_all_libraries(self):
        self.assertTrue(libraries.has(sys.executable, ("json", "csv")))
        self.assertFalse(libraries.has(sys.executable, ("json", "no_such_library")))
        self.assertFalse(libraries.has("/no/such/python", ("json",)))

    def test_a_command_that_pip_has_installed_calls_itself_by_its_name(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, place in project()["project"]["scripts"].items():
                module, function = place.split(":")
                path = os.path.join(folder, name)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(f"from {module} import {function}\n{function}()\n")
                done = subprocess.run([sys.executable, "-B", path, "--help"], capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""), name)
                self.assertTrue(done.stdout.startswith(f"usage: {name} "), done.stdout)


if __name__ == "__main__":
    unittest.main()
