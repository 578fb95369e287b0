"""pairs.csv: a header and one line per pair. Columns: dry, wet (paths relative to the folder), optionally
split, and one per knob. Lines that begin with # and empty lines are passed over. Where the header has
semicolons or tabs between its columns, as from a spreadsheet of a country with a decimal comma, so have the
lines, and numbers may have that comma."""

from __future__ import annotations

import csv
import io
import math
import os
from dataclasses import dataclass
from typing import Any

from gainstage_files import foreign_file, new_file
from . import controls
from .pairs import SPLITS

FILES = ("dry", "wet")
LARGEST_TABLE = 64 << 20  # bytes


@dataclass
class Row:
    line: int
    dry: str
    wet: str
    split: str  # "" where the table gives none
    knobs: dict[str, Any]  # a number, None where there was none


def text_of(path: str) -> str:
    """The file's text. Raises OSError, ValueError with cause and remedy."""
    with new_file.opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        content = foreign_file.read_at_most(file, LARGEST_TABLE + 1)
    if size > LARGEST_TABLE or len(content) > LARGEST_TABLE:
        raise ValueError(f"{size} bytes long; at most {LARGEST_TABLE} are read")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ValueError("UTF-16 text; save the file as UTF-8")
    if content[:4] == b"PK\3\4":
        raise ValueError("a spreadsheet or a ZIP archive; save it as CSV")
    if content.lstrip()[:9].lower() in (b"<!doctype", b"<html>"):
        raise ValueError("a web page, not the file itself; download the file again")
    if content.startswith(b"version https://git-lfs.github.com/spec/"):
        raise ValueError("a Git LFS pointer, not the file itself; fetch the file with: git lfs pull")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ValueError(f"not UTF-8 text (byte {problem.start}); save the file as UTF-8") from problem


def separator_of(text: str) -> str:
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            return next((mark for mark in ";\t" if mark in line and "," not in line), ",")
    return ","


def read_lines(path: str) -> tuple[list[tuple[int, list[str]]], bool]:
    """-> ([(line number, fields)], whether numbers have a decimal comma)"""
    text = text_of(path)
    separator = separator_of(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    lines = [
        (reader.line_num, [field.strip() for field in fields])
        for fields in reader
        if any(field.strip() for field in fields) and not fields[0].lstrip().startswith("#")
    ]
    return lines, separator != ","


def of_header(path: str, columns: list[str]) -> list[str]:
    problems = [
        f"{path}: column {name} is missing; expected dry, wet, one per knob"
        for name in FILES
        if name not in columns
    ]
    problems += [
        f"{path}: column {name} is there {columns.count(name)} times; name each once"
        for name in sorted(set(columns))
        if columns.count(name) > 1
    ]
    problems += [
        f"{path}: column {place + 1} has no name; give it the knob's, or take it out"
        for place, name in enumerate(columns)
        if not name
    ]
    knobs = [name for name in columns if name and name not in (*FILES, "split")]
    return problems or controls.of_names(path, knobs, "rename the column to")


def existing(folder: str, name: str) -> str | None:
    """The name of the file, whose ending may differ in capitals (.WAV); None where there is none."""
    if os.path.isfile(os.path.join(folder, name)):
        return name
    parent, stem = os.path.dirname(name), os.path.splitext(os.path.basename(name))[0]
    where = os.path.join(folder, parent)
    alike = [
        each
        for each in (sorted(os.listdir(where)) if name and os.path.isdir(where) else [])
        if each.lower() == os.path.basename(name).lower() and os.path.splitext(each)[0] == stem
    ]
    return os.path.join(parent, alike[0]) if alike else None


def number(text: str, has_decimal_comma: bool = False) -> float | None:
    """-> float, or None where the text is none (or not finite)"""
    if has_decimal_comma and "." not in text:
        text = text.replace(",", ".", 1)
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def row_of(
    path: str, folder: str, line: int, columns: list[str], fields: list[str], has_decimal_comma: bool
) -> tuple[Row | None, list[str]]:
    """-> (Row, problems)"""
    where = f"{path}, line {line}"
    if len(fields) != len(columns):
        return None, [f"{where}: has {len(fields)} fields and the header {len(columns)}"]
    cells = dict(zip(columns, fields))
    files = {name: existing(folder, cells[name]) for name in FILES}
    problems = [
        f"{where}: {cells[name] or name}: no such file; paths are relative to the folder"
        for name in FILES
        if files[name] is None
    ]
    split = cells.get("split", "")
    if split and split not in SPLITS:
        problems.append(
            f"{where}: split {split}: expected {', '.join(SPLITS)}, or nothing in the whole column"
        )
    knobs = {
        name: number(cells[name], has_decimal_comma) for name in columns if name not in (*FILES, "split")
    }
    problems += [
        f"{where}: {name}: {cells[name] or 'nothing'} is not a number"
        for name, value in knobs.items()
        if value is None
    ]
    dry, wet = (files[name] or cells[name] for name in FILES)
    return Row(line, dry, wet, split, knobs), problems


def read(path: str) -> tuple[list[Row], list[str], list[str]]:
    """-> (rows, names of the knobs, problems); no rows where the header is wrong."""
    try:
        lines, has_decimal_comma = read_lines(path)
    except (OSError, ValueError, csv.Error) as problem:
        return [], [], [f"{path}: cannot be read as a table: {problem}"]
    if len(lines) < 2:
        return [], [], [f"{path}: names no pairs; expected a header (dry,wet,KNOB,...) and one line per pair"]
    columns = lines[0][1]
    problems = of_header(path, columns)
    if problems:
        return [], [], problems
    rows = []
    for line, fields in lines[1:]:
        row, found = row_of(path, os.path.dirname(path), line, columns, fields, has_decimal_comma)
        problems += found
        if row is not None:
            rows.append(row)
    given = sum(1 for row in rows if row.split)
    if given not in (0, len(rows)):
        problems.append(f"{path}: split is given in {given} of {len(rows)} lines; give it in all or in none")
    return rows, [name for name in columns if name not in (*FILES, "split")], problems
