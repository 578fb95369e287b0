#!/usr/bin/env python3
"""Shows that runtime/README.md is still true where a program can tell.

Every file of runtime/ is named once in the section "Every file"; the walks lead through files that are there,
with as many files and hops as their titles say; every word and key of a report stands in the section
"Reports". Exits with 1 and names every place that is not so.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GUIDE = "runtime/README.md"


def text_of(path: str) -> str:
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def section(guide: str, title: str) -> str:
    """The lines below a title, up to the next one of the same rank."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", guide, re.MULTILINE | re.DOTALL)
    if not found:
        raise SystemExit(f'{GUIDE}: has no section "{title}"')
    return found.group(1)


def stems_in(top: str) -> set[str]:
    """Paths without the last part of their names: x.hpp and x.cpp are one. report-inl.hpp is report-inl."""
    stems = set()
    for folder, _, names in os.walk(os.path.join(ROOT, top)):
        for name in names:
            if name.endswith((".cpp", ".hpp")):
                stems.add(os.path.relpath(os.path.join(folder, os.path.splitext(name)[0]), ROOT))
    return stems


def file_problems(guide: str) -> Iterator[str]:
    """A title `### folder/` or `### .`, then rows that begin with | `name` |."""
    there, named, folder = stems_in("runtime"), set(), "runtime"
    for line in section(guide, "Every file").splitlines():
        if title := re.match(r"### `(\S+)/`", line):
            folder = title.group(1) if title.group(1) == "runtime" else "runtime/" + title.group(1)
        elif row := re.match(r"\| `(\S+)` \| (.*) \|$", line):
            stem = f"{folder}/{row.group(1)}"
            if stem in named:
                yield f"{GUIDE}: names {stem} twice"
            if stem not in there:
                yield f'{GUIDE}: names {stem}, which is not there; remove its row in "Every file"'
            if not row.group(2).strip():
                yield f"{GUIDE}: does not say what {stem} is"
            named.add(stem)
    for stem in sorted(there - named):
        yield f'{GUIDE}: does not name {stem}; add a row for it in "Every file"'


def steps_of(walk: str) -> list[tuple[str, str]]:
    """(arrow, path) of every step. After >> a step has its whole path; after -> it stays in its folder."""
    words = re.sub(r"\([^)]*\)", "", walk)
    steps, folder = [], None
    for arrow, name in re.findall(r"(->|>>|^)\s*([\w/.-]+)", words):
        if arrow != "->":
            path = name if name.split("/")[0] in ("runtime", "nodes", "tools") else "runtime/" + name
        else:
            path = f"{folder}/{name}"
        folder = os.path.dirname(path)
        steps.append((arrow, path))
    return steps


def walk_problems(guide: str) -> Iterator[str]:
    there = stems_in("runtime") | stems_in("nodes") | stems_in("tools")
    walks = re.findall(
        r"^### (.+?): (\d+) files, (\d+) hops, (\d+) back\n.*?^```text\n(.*?)^```",
        section(guide, "Four walks"),
        re.MULTILINE | re.DOTALL,
    )
    if len(walks) != 4:
        yield f'{GUIDE}: "Four walks" has {len(walks)} titles "NAME: N files, N hops, N back"'
    for name, files, hops, back, walk in walks:
        steps, seen, returns, before = steps_of(walk), set(), 0, None
        for arrow, path in steps:
            folder = os.path.dirname(path)
            if path not in there:
                yield f"{GUIDE}: {name}: {path} is not there"
            if before is not None and (arrow == ">>") != (folder != before):
                yield f"{GUIDE}: {name}: {arrow} before {path}; >> crosses a folder, -> does not"
            returns += path in seen
            seen.add(path)
            before = folder
        counted = len(seen), len(steps) - 1, returns
        if counted != (int(files), int(hops), int(back)):
            yield f"{GUIDE}: {name}: it is {counted[0]} files, {counted[1]} hops, {counted[2]} back"


def report_problems(guide: str) -> Iterator[str]:
    told = set(re.findall(r"`(\w+)`", section(guide, "Reports")))
    words = re.findall(r'return "(\w+)";', text_of("runtime/control/session_report.cpp"))
    json = text_of("runtime/control/report_json.cpp")
    keys = re.findall(r'\["(\w+)"\]', json) + re.findall(r'\{"(\w+)", ', json)
    if not words or not keys:
        yield "tools/guide.py: finds no words or keys of reports where it looks for them"
    for word in sorted(set(words + keys) - told):
        yield f'{GUIDE}: "Reports" does not tell of `{word}`'


def main() -> int:
    guide = text_of(GUIDE)
    problems = [*file_problems(guide), *walk_problems(guide), *report_problems(guide)]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{GUIDE}: {len(stems_in('runtime'))} names, 4 walks, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
