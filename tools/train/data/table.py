"""pairs.csv: a header and one line per pair. Columns: dry, wet (paths relative to the folder), optionally split, and
one per knob. Lines that begin with # and empty lines are passed over."""

import csv
import math
import os
from dataclasses import dataclass

from .pairs import SPLITS

FILES = ("dry", "wet")


@dataclass
class Row:
    line: int
    dry: str
    wet: str
    split: str  # "" where the table gives none
    knobs: dict


def read_lines(path):
    """-> [(line number, fields)]"""
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        return [(reader.line_num, [field.strip() for field in fields]) for fields in reader
                if any(field.strip() for field in fields) and not fields[0].lstrip().startswith("#")]


def of_header(path, columns):
    problems = [f"{path}: column {name} is missing; expected dry, wet, one per knob" for name in FILES if name not in columns]
    problems += [f"{path}: column {name} is there {columns.count(name)} times; name each once"
                 for name in sorted(set(columns)) if columns.count(name) > 1]
    problems += [f"{path}: column {place + 1} has no name; give it the knob's, or take it out"
                 for place, name in enumerate(columns) if not name]
    return problems


def number(text):
    """-> float, or None where the text is none (or not finite)"""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def row_of(path, folder, line, columns, fields):
    """-> (Row, problems)"""
    where = f"{path}, line {line}"
    if len(fields) != len(columns):
        return None, [f"{where}: has {len(fields)} fields and the header {len(columns)}"]
    cells = dict(zip(columns, fields))
    problems = [f"{where}: {cells[name] or name}: no such file; paths are relative to the folder"
                for name in FILES if not os.path.isfile(os.path.join(folder, cells[name]))]
    split = cells.get("split", "")
    if split and split not in SPLITS:
        problems.append(f"{where}: split {split}: expected {', '.join(SPLITS)}, or nothing in the whole column")
    knobs = {name: number(cells[name]) for name in columns if name not in (*FILES, "split")}
    problems += [f"{where}: {name}: {cells[name] or 'nothing'} is not a number"
                 for name, value in knobs.items() if value is None]
    return Row(line, cells["dry"], cells["wet"], split, knobs), problems


def read(path):
    """-> (rows, names of the knobs, problems); no rows where the header is wrong."""
    try:
        lines = read_lines(path)
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        return [], [], [f"{path}: cannot be read as a table: {problem}"]
    if len(lines) < 2:
        return [], [], [f"{path}: names no pairs; expected a header (dry,wet,KNOB,...) and one line per pair"]
    columns = lines[0][1]
    problems = of_header(path, columns)
    if problems:
        return [], [], problems
    rows = []
    for line, fields in lines[1:]:
        row, found = row_of(path, os.path.dirname(path), line, columns, fields)
        problems += found
        if row is not None:
            rows.append(row)
    given = sum(1 for row in rows if row.split)
    if given not in (0, len(rows)):
        problems.append(f"{path}: split is given in {given} of {len(rows)} lines; give it in all or in none")
    return rows, [name for name in columns if name not in (*FILES, "split")], problems
