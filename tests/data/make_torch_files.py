#!/usr/bin/env python3
"""Writes checkpoints as the PyTorch that runs it saves them, and what PyTorch itself says is in them:
tests/data/torch_files/VERSION-*.pt and VERSION.json. Run once under each PyTorch that can be had; the importer's
tests read what is there, without PyTorch.

    make_torch_files.py [FOLDER]"""

import collections
import hashlib
import json
import os
import pathlib
import sys

import torch


def kinds():
    """Every kind of number, and every way in which a tensor may lie in its storage."""
    whole = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) - 7.5
    out = collections.OrderedDict(
        [
            ("whole", whole),
            ("part", whole[:, 1]),
            ("turned", whole.transpose(0, 2)),
            ("tied", whole),
            ("stretched", whole[0, 0, :1].expand(5)),
            ("every_other", torch.arange(9.0)[1::2]),
            ("empty", torch.zeros(0, 3)),
            ("number", torch.tensor(0.1)),
            ("parameter", torch.nn.Parameter(whole[0].clone())),
            ("half", whole.half()),
            ("bfloat16", whole.bfloat16()),
            ("double", whole.double() / 3),
            ("long", torch.tensor([-(2**53), 2**53])),
            ("int", torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32)),
            ("short", torch.tensor([-(2**15), 2**15 - 1], dtype=torch.int16)),
            ("char", torch.tensor([-128, 127], dtype=torch.int8)),
            ("byte", torch.tensor([0, 255], dtype=torch.uint8)),
            ("flag", whole > 0),
        ]
    )
    for name, kind in (("complex", torch.complex64), ("complex_double", torch.complex128)):
        out[name] = torch.tensor([1 - 2j, 0.5j], dtype=kind)
    return out


def network():
    """As Lightning saves it: weights, and beside them what no reader of weights needs."""
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2), torch.nn.PReLU())
    with torch.no_grad():
        for at, parameter in enumerate(module.parameters()):
            parameter.copy_(torch.arange(float(parameter.numel())).reshape(parameter.shape) * 0.1 + at)
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-3)
    module(torch.arange(12.0).reshape(4, 3)).square().sum().backward()
    optimiser.step()
    return {
        "epoch": 3,
        "global_step": 2**40,
        "pytorch-lightning_version": "1.9.0",
        "state_dict": module.state_dict(),
        "optimizer_states": [optimiser.state_dict()],
        "lr_schedulers": [],
        "folder": pathlib.PurePosixPath("/a/b"),
        "callbacks": {"ModelCheckpoint": {"best": float("inf"), "path": pathlib.PurePosixPath("c")}},
        "nothing": None,
        "hyper_parameters": {
            "take_side_chain": True,
            "final_tanh": "none",
            "sizes": [1, 2, (3, 4)],
            "rate": 1e-3,
        },
    }


def numbers_of(tensor):
    tensor = tensor.detach()
    return (torch.view_as_real(tensor) if tensor.is_complex() else tensor).double().contiguous().numpy()


def digests(tensors):
    return {
        name: {
            "shape": list(numbers_of(tensor).shape),
            "sha256": hashlib.sha256(numbers_of(tensor).astype("<f8").tobytes()).hexdigest(),
        }
        for name, tensor in tensors.items()
    }


if __name__ == "__main__":
    folder = (
        sys.argv[1]
        if len(sys.argv) > 1
        else os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch_files")
    )
    version = torch.__version__.partition("+")[0]
    os.makedirs(folder, exist_ok=True)
    said = {"made by": "PyTorch " + version}
    for name, content, old in (
        ("kinds", kinds(), False),
        ("network", network(), False),
        ("old-kinds", kinds(), True),
        ("old-network", network(), True),
    ):
        file = f"{version}-{name}.pt"
        torch.save(content, os.path.join(folder, file), _use_new_zipfile_serialization=not old)
        said[file] = digests(content["state_dict"] if "state_dict" in content else content)
    with open(os.path.join(folder, version + ".json"), "w", encoding="utf-8") as file:
        json.dump(said, file, indent=1, sort_keys=True)
        file.write("\n")
