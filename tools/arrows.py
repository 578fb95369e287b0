#!/usr/bin/env python3
"""Shows that the arrows between folders run one way.

A file may include files of its own folder and of the folders that ALLOWED names for it; no file may include
itself in a circle. No two headers declare a class of one name. Exits with 1 and names every place that does
otherwise.

    tools/arrows.py [--list]    --list: prints every arrow too
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# From the bottom up: a folder may only name folders above it in this list.
ALLOWED: dict[str, list[str]] = {
    "runtime": [],
    "runtime/patch": ["runtime"],
    "runtime/model": ["runtime"],
    "runtime/graph": ["runtime", "runtime/patch", "runtime/model"],
    "runtime/resolve": ["runtime", "runtime/patch", "runtime/model", "runtime/graph"],
    "runtime/realtime": ["runtime", "runtime/patch", "runtime/model", "runtime/graph"],
    "runtime/plan/compile": ["runtime", "runtime/model", "runtime/graph", "runtime/realtime"],
    "runtime/plan": ["runtime", "runtime/model", "runtime/graph", "runtime/realtime", "runtime/plan/compile"],
    "runtime/engine": [
        "runtime",
        "runtime/patch",
        "runtime/model",
        "runtime/graph",
        "runtime/resolve",
        "runtime/realtime",
        "runtime/plan",
    ],
    "runtime/io": ["runtime", "runtime/realtime"],
    "runtime/control": [
        "runtime",
        "runtime/model",
        "runtime/graph",
        "runtime/resolve",
        "runtime/realtime",
        "runtime/plan",
        "runtime/engine",
        "runtime/io",
    ],
    "nodes/kernels": ["runtime"],
    "nodes/dsp": ["runtime", "nodes/kernels"],
    "nodes/layers": ["runtime", "runtime/model", "nodes/kernels", "nodes/dsp"],
    "nodes/effects": ["runtime", "nodes/dsp"],
    "nodes/models": ["runtime", "runtime/model", "nodes/kernels", "nodes/dsp", "nodes/layers"],
    "nodes": ["runtime", "nodes/effects", "nodes/models"],
}

CLASS = re.compile(r"^(?:class|struct) (\w+)(?: final)?(?: : [^{;]+)? \{", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#include "([^"]+)"', re.MULTILINE)


def folder_of(path: str) -> str | None:
    """The longest folder of ALLOWED that holds the file; None for tools and tests."""
    folder = os.path.dirname(path)
    while folder and folder not in ALLOWED:
        folder = os.path.dirname(folder)
    return folder or None


def read_includes() -> dict[str, list[str]]:
    includes = {}
    for top in ("runtime", "nodes"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                if name.endswith((".cpp", ".hpp")):
                    path = os.path.relpath(os.path.join(folder, name), ROOT)
                    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                        includes[path] = INCLUDE.findall(file.read())
    return includes


def table_problems() -> Iterator[str]:
    above: set[str] = set()
    for folder, below in ALLOWED.items():
        for other in below:
            if other not in above:
                yield f"tools/arrows.py: {folder} may include {other}, which stands above it or nowhere"
        above.add(folder)


def arrow_problems(includes: dict[str, list[str]]) -> Iterator[str]:
    for path, targets in sorted(includes.items()):
        here = folder_of(path) or ""
        for target in targets:
            there = folder_of(target)
            if there != here and there not in ALLOWED[here]:
                yield f"{path}: includes {target}, but {here} may not see {there or os.path.dirname(target)}"


def name_problems() -> Iterator[str]:
    """A class stands in one header: two of one name in one program are one to the linker."""
    places: dict[str, set[str]] = {}
    for top in ("runtime", "nodes"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in sorted(names):
                if name.endswith(".hpp"):
                    path = os.path.relpath(os.path.join(folder, name), ROOT)
                    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                        for match in CLASS.finditer(file.read()):
                            places.setdefault(match.group(1), set()).add(path)
    for name, paths in sorted(places.items()):
        if len(paths) > 1:
            yield f"{name}: declared in {' and in '.join(sorted(paths))}"


def circle_problems(includes: dict[str, list[str]]) -> Iterator[str]:
    done: set[str] = set()
    path: list[str] = []

    def visit(file: str) -> Iterator[str]:
        if file in path:
            yield "a circle of files: " + " -> ".join(path[path.index(file) :] + [file])
            return
        if file in done:
            return
        path.append(file)
        for target in includes.get(file, []):
            yield from visit(target)
        path.pop()
        done.add(file)

    for file in sorted(includes):
        yield from visit(file)


def main() -> int:
    if set(sys.argv[1:]) - {"--list"}:
        sys.exit(__doc__)
    includes = read_includes()
    problems = [*table_problems(), *arrow_problems(includes), *circle_problems(includes), *name_problems()]
    for problem in problems:
        print(problem, file=sys.stderr)
    arrows = {
        (folder_of(path), folder_of(target)) for path, targets in includes.items() for target in targets
    }
    count = sum(1 for here, there in arrows if here != there)
    if "--list" in sys.argv[1:]:
        for here in reversed(ALLOWED):
            below = [there for there in reversed(ALLOWED) if there != here and (here, there) in arrows]
            print(here, "->", ", ".join(below))
    print(f"{len(includes)} files, {len(ALLOWED)} folders, {count} arrows, {len(problems)} against the rule")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
