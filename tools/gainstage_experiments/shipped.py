"""The models in models/ that were trained on the optical compressor's data: they are judged as they are, not
trained again."""

from __future__ import annotations

import json
import os
import re
import zlib
from typing import Any

import numpy as np
import torch

from gainstage_files import foreign_file
from gainstage_train.models import Model
from gainstage_train import saved_model

DATA = "in the manner of the LA-2A"  # of a file's `source`


def files(folder: str) -> dict[str, str]:
    """-> {name: path}"""
    names = (
        sorted(name for name in os.listdir(folder) if name.endswith(".safetensors"))
        if os.path.isdir(folder)
        else []
    )
    return {
        name[: -len(".safetensors")]: os.path.join(folder, name)
        for name in names
        if of_optical(os.path.join(folder, name))
    }


def of_optical(path: str) -> bool:
    metadata, _ = saved_model.read(path)
    return DATA in metadata.get("source", "") and "model" in story_of(metadata)


def story_of(metadata: dict[str, str]) -> dict[str, Any]:
    return json.loads(metadata.get("training", "{}"))


def plan(path: str) -> dict[str, str]:
    """Changes with the weights."""
    return {"file": os.path.basename(path), "content": f"{zlib.crc32(foreign_file.read(path)):08x}"}


def facts(path: str) -> dict[str, Any]:
    """How it was trained, as the file says; its minutes with those before, where it went on from another."""
    story = story_of(saved_model.read(path)[0])
    known = ("minutes", "epochs", "loss", "machine", "validation_esr", "model", "settings")
    found = {"shipped": os.path.basename(path), **{key: story[key] for key in known if key in story}}
    if "minutes_before" in story:
        found["minutes"] = round(story["minutes"] + story["minutes_before"], 1)
    return found


def played(model: Model, dry: np.ndarray, knobs: dict[str, float]) -> np.ndarray:
    """-> float32 [samples]"""
    padded = np.pad(dry, (0, -len(dry) % model.frame))
    with torch.no_grad():
        device = next(model.parameters()).device
        out, _ = model(torch.from_numpy(padded)[None].to(device), model.conditioning([knobs]).to(device))
    return out[0, : len(dry)].cpu().numpy()


def row_name(key: str, result: dict[str, Any]) -> str:
    """Of a table in which the device comes first: the kind of model, and the file's name."""
    return "**the device**" if key == "device" else f"{re.split('[:,]', result['description'])[0]} (`{key}`)"
