#!/usr/bin/env python3
"""Finds what could run code of a file: torch.load and its like, pickle's readers, numpy.load with
allow_pickle, eval and exec.

    unpickling.py FILE.py ...

Exits with 1 and names every place. PyTorch's files are read by tools/gainstage_import/torch_archive.py and
torch_old.py, which run nothing; tensors of our own are kept as safetensors."""

from __future__ import annotations

import ast
import sys

# What each module has that makes objects of a file's choice; "*" is everything in it.
READERS = {
    "torch": {"load", "hub", "package"},
    "torch.serialization": {"load"},
    "torch.jit": {"load"},
    "torch.hub": {"*"},
    "torch.package": {"*"},
    "pickle": {"load", "loads", "Unpickler"},
    "_pickle": {"*"},
    "cPickle": {"*"},
    "dill": {"*"},
    "cloudpickle": {"*"},
    "joblib": {"*"},
    "shelve": {"*"},
    "marshal": {"*"},
    "yaml": {"load", "unsafe_load", "full_load", "Loader"},
    "jsonpickle": {"*"},
}
BUILT_IN = {"eval", "exec", "compile"}


class Finder(ast.NodeVisitor):
    def __init__(self, path: str) -> None:
        self.path = path
        self.modules: dict[str, str] = {}
        self.places: list[str] = []

    def tell(self, node: ast.expr | ast.stmt, what: str) -> None:
        self.places.append(f"{self.path}:{node.lineno}: {what}")

    def visit_Import(self, node: ast.Import) -> None:  # noqa: N802  names of ast
        for name in node.names:
            if "*" in READERS.get(name.name, ()):
                self.tell(node, f"imports {name.name}")
            self.modules[name.asname or name.name.partition(".")[0]] = (
                name.name if name.asname else name.name.partition(".")[0]
            )

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:  # noqa: N802
        for name in node.names:
            whole, known = f"{node.module}.{name.name}", READERS.get(node.module or "", set())
            if node.level == 0 and ("*" in known or name.name in known or "*" in READERS.get(whole, ())):
                self.tell(node, f"imports {whole}")
            self.modules[name.asname or name.name] = whole

    def visit_Attribute(self, node: ast.Attribute) -> None:  # noqa: N802
        module = self.module_of(node.value)
        if node.attr in READERS.get(module, ()):
            self.tell(node, f"uses {module}.{node.attr}")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:  # noqa: N802
        if isinstance(node.func, ast.Name) and node.func.id in BUILT_IN and node.func.id not in self.modules:
            self.tell(node, f"calls {node.func.id}()")
        for keyword in node.keywords:
            if keyword.arg == "allow_pickle" and not (
                isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            ):
                self.tell(node, "allows pickles")
            if keyword.arg == "weights_only":
                self.tell(node, "reads by torch.load")
        if (
            isinstance(node.func, ast.Name)
            and node.func.id == "getattr"
            and len(node.args) > 1
            and self.module_of(node.args[0]) in READERS
            and getattr(node.args[1], "value", "load") in READERS[self.module_of(node.args[0])]
        ):
            self.tell(node, "takes a reader by its name")
        self.generic_visit(node)

    def module_of(self, node: ast.expr) -> str:
        """ "torch.jit" of the expression torch.jit, by whatever name it was imported."""
        if isinstance(node, ast.Name):
            return self.modules.get(node.id, "")
        if isinstance(node, ast.Attribute) and self.module_of(node.value):
            return f"{self.module_of(node.value)}.{node.attr}"
        return ""


def places_in(text: str, path: str) -> list[str]:
    """-> ["PATH:LINE: what is there"]"""
    finder = Finder(path)
    finder.visit(ast.parse(text, path))
    return finder.places


if __name__ == "__main__":
    found = []
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as file:
            found += places_in(file.read(), name)
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
