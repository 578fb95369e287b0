#!/usr/bin/env python3
"""Makes tools/install/man/gainstage-patch.5 from patches/REFERENCE.md.

    python3 tools/manual.py           writes it
    python3 tools/manual.py --check   exits with 1 if it is not what the page gives

It knows as much of Markdown as that page uses: titles, paragraphs, lists, tables, blocks of code, `code`,
**bold** and links. A table becomes a list of its first column.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = "patches/REFERENCE.md"
MANUAL = "tools/install/man/gainstage-patch.5"
NAME = r"gainstage\-patch \- the text file that Gainstage plays"

# Columns whose cells need no title in front.
PLAIN_COLUMNS = {"value", "meaning", "moves", "does", "a message says"}


def escaped(text: str) -> str:
    """Text as roff wants it."""
    return text.replace("\\", r"\e").replace("-", r"\-")


def inline(text: str) -> str:
    """A paragraph's text: `code` and **bold** in bold type, links without their targets."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    out = []
    for part in re.split(r"(`[^`]*`|\*\*[^*]*\*\*)", text):
        if part.startswith("`"):
            out.append(rf"\fB{escaped(part[1:-1])}\fR")
        elif part.startswith("**"):
            out.append(rf"\fB{escaped(part[2:-2])}\fR")
        else:
            out.append(escaped(part))
    line = "".join(out)
    return rf"\&{line}" if line.startswith((".", "'")) else line


def cells_of(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def table(lines: list[str]) -> Iterator[str]:
    """Each row as a tagged paragraph. Cells below a title that says nothing by itself have it in front."""
    titles = cells_of(lines[0])
    for row in lines[2:]:
        cells = cells_of(row)
        yield ".TP"
        yield inline(cells[0])
        texts = [
            inline(cell if title in PLAIN_COLUMNS else f"{title}: {cell}")
            for title, cell in zip(titles[1:], cells[1:])
            if cell
        ]
        for index, text in enumerate(texts):
            if index:
                yield ".br"
            yield text


def code(lines: list[str]) -> Iterator[str]:
    yield from (".PP", ".RS 4", ".nf")
    for line in lines:
        text = escaped(line)
        yield rf"\&{text}" if text.startswith((".", "'")) else text
    yield from (".fi", ".RE")


def bullets(lines: list[str]) -> Iterator[str]:
    for item in re.split(r"^- ", "\n".join(lines), flags=re.MULTILINE)[1:]:
        yield r".IP \(bu 2"
        yield inline(" ".join(item.split()))


def blocks_of(page: str) -> Iterator[tuple[str | None, list[str]]]:
    """(kind, lines) of every block: "title", "table", "code", "list" or "text"."""
    block: list[str] = []
    kind: str | None = None
    for line in [*page.splitlines(), ""]:
        if kind == "code":
            if line.startswith("```"):
                yield kind, block
                block, kind = [], None
            else:
                block.append(line)
            continue
        starts = {"#": "title", "|": "table", "-": "list", "`": "code" if line.startswith("```") else "text"}
        if not line or line.startswith("```"):
            if block:
                yield kind, block
            block, kind = [], "code" if line else None
        else:
            kind = kind or starts.get(line[0], "text")
            block.append(line)


def manual(page: str) -> Iterator[str]:
    """The whole man page."""
    yield f'.\\" Made from {PAGE} by tools/manual.py.'
    yield r'.TH GAINSTAGE\-PATCH 5 "" Gainstage "Files of Gainstage"'
    yield from (".SH NAME", NAME, ".SH DESCRIPTION")
    for kind, lines in blocks_of(page):
        if kind == "title":
            marks, title = lines[0].split(" ", 1)
            if len(marks) == 2:
                yield f".SH {escaped(title).upper()}"
            elif len(marks) == 3:
                yield f".SS {escaped(title)}"
        elif kind == "table":
            yield from table(lines)
        elif kind == "code":
            yield from code(lines)
        elif kind == "list":
            yield from bullets(lines)
        else:
            yield ".PP"
            yield inline(" ".join(lines))
    yield from (".SH SEE ALSO", ".BR gainstage (1)")


def main() -> int:
    with open(os.path.join(ROOT, PAGE), encoding="utf-8") as file:
        text = "\n".join(manual(file.read())) + "\n"
    path = os.path.join(ROOT, MANUAL)
    if sys.argv[1:] == ["--check"]:
        with open(path, encoding="utf-8") as file:
            if file.read() != text:
                print(f"{MANUAL} is not what {PAGE} gives; run: python3 tools/manual.py", file=sys.stderr)
                return 1
        print(f"{MANUAL}: as {PAGE}")
        return 0
    if sys.argv[1:]:
        sys.exit(__doc__)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
