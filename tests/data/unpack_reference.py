#!/usr/bin/python3
"""unpack_reference.py FOLDER OUT: writes the fixture of a published layout (fixture.json, input.wav,
expected.npy) as plain numbers: OUT/input.f32, OUT/expected.f64, OUT/knobs.txt (one value of the first
schedule entry a line)."""

import json
import os
import struct
import sys

import numpy as np


def wav_floats(path):
    with open(path, "rb") as file:
        content = file.read()
    at = 12
    while content[at : at + 4] != b"data":
        at += 8 + struct.unpack("<I", content[at + 4 : at + 8])[0]
    length = struct.unpack("<I", content[at + 4 : at + 8])[0]
    return np.frombuffer(content[at + 8 : at + 8 + length], "<f4")


folder, out = sys.argv[1:]
with open(os.path.join(folder, "fixture.json"), encoding="utf-8") as fixture:
    schedule = json.load(fixture)["conditioning"]["schedule"]
assert len(schedule) == 1, "knobs that move are not expected here"
wav_floats(os.path.join(folder, "input.wav")).tofile(os.path.join(out, "input.f32"))
np.load(os.path.join(folder, "expected.npy")).astype("<f8").tofile(os.path.join(out, "expected.f64"))
with open(os.path.join(out, "knobs.txt"), "w", encoding="utf-8") as file:
    file.writelines(f"{value}\n" for value in schedule[0][1])
