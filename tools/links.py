#!/usr/bin/env python3
"""Shows that every link of a page (*.md) to another file of this checkout leads somewhere, down to its title.

    python3 tools/links.py PAGE...

Exits with 1 and names every link that does not.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def text_of(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def without_code(text: str) -> str:
    """Blocks of code hold no links. What looks like one there is C++."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors_of(page: str) -> set[str]:
    """What a link may name in a page: its titles, as GitHub spells them."""
    titles = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def problems_of(path: str) -> Iterator[str]:
    for target in LINK.findall(without_code(text_of(path))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
        if not os.path.exists(file):
            yield f"{path}: links to {target}, which is not there"
        elif anchor and anchor not in anchors_of(text_of(file)):
            yield f"{path}: links to {target}; {file} has no such title"


def main(pages: list[str]) -> int:
    problems = [problem for page in pages for problem in problems_of(page)]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"links: {len(pages)} pages, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
