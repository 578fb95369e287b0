"""The runtime beside the training code: clips played by `gainstage render` through a patch of one model."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from typing import Any

import numpy as np
import soundfile

from gainstage_files.problem import Problem
from .data.pairs import Pair


class Runtime:
    """`gainstage render` of one model file."""

    def __init__(self, program: Any, file: Any, architecture: Any, sample_rate: float) -> None:
        self.program, self.file = program, os.path.abspath(file)
        self.architecture, self.sample_rate = architecture, int(round(sample_rate))

    def render(self, pair: Pair) -> Any:
        """-> float32 [samples]"""
        with tempfile.TemporaryDirectory() as folder:
            patch, dry, wet = (os.path.join(folder, name) for name in ("clip.toml", "dry.wav", "wet.wav"))
            with open(patch, "w", encoding="utf-8") as file:
                file.write(self.patch(pair.knobs))
            soundfile.write(dry, np.asarray(pair.dry), self.sample_rate, subtype="FLOAT")
            done = subprocess.run(
                [self.program, "render", "-q", patch, dry, "-o", wet], text=True, stderr=subprocess.PIPE
            )
            if done.returncode:
                first, *more = done.stderr.strip().split("\n")
                raise Problem([f"{self.program} render: {first}", *more], done.returncode)
            return soundfile.read(wet, dtype="float32")[0]

    def patch(self, knobs: Any) -> Any:
        values = "".join(f", {name} = {float(value)!r}" for name, value in knobs.items())
        return (
            'format = 1\nname = "Evaluation"\nlinks = ["in -> model -> out"]\n[nodes]\n'
            'in = { type = "input", channels = [1] }\nout = { type = "output", channels = [1], guard = "off" }\n'
            f"model = {{ type = {json.dumps(self.architecture)}, model = {json.dumps(self.file)}, "
            f'start = "zero"{values} }}\n'
        )  # as the training code begins a clip
