"""The file beside a model that is being trained, FILE.safetensors.training: all that it takes to go on after an
interruption. It is replaced as a whole, so that a crash or a full disk leaves the one before."""

import io
import json
import os

import torch

from .problem import CANNOT_CREATE, Problem


def replace(path, content):
    """Writes bytes: whole or not at all. Raises OSError, and leaves what was there."""
    folder, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(folder, f".{name}.part")  # always the same: what a crash leaves is overwritten
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def path_of(output):
    return output + ".training"


def save(path, model, best, optimiser, average, facts):
    """best: the state dict to go back to; average: of the weights, or None; facts: plain values. Raises OSError."""
    state = optimiser.state_dict()
    random = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        random["cuda"] = torch.cuda.get_rng_state()
    # Tensors and texts only, which torch.load reads without running anything.
    content = {"model": dict(model.state_dict()), "best": dict(best), "random": random,
               "average": dict(average.state_dict()) if average else {},
               "moments": {str(at): dict(moments) for at, moments in state["state"].items()},
               "facts": json.dumps({**facts, "groups": state["param_groups"]})}
    buffer = io.BytesIO()
    torch.save(content, buffer)
    replace(path, buffer.getvalue())


def facts_of(path):
    """-> (facts, content) of a checkpoint; (None, None) where there is none."""
    if not os.path.exists(path):
        return None, None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        return json.loads(content["facts"]), content
    except Exception as problem:  # whatever torch's readers raise on a file that is not theirs
        raise Problem(f"{path}: cannot be read ({type(problem).__name__}); begin anew with --fresh") from problem


def restore(content, model, optimiser, average):
    """-> the best state dict."""
    groups = json.loads(content["facts"])["groups"]
    model.load_state_dict(content["model"])
    optimiser.load_state_dict({"state": {int(at): moments for at, moments in content["moments"].items()},
                               "param_groups": groups})
    if average:
        average.load_state_dict(content["average"])
    torch.set_rng_state(content["random"]["cpu"])
    if "cuda" in content["random"] and torch.cuda.is_available():
        torch.cuda.set_rng_state(content["random"]["cuda"])
    return content["best"]


def must_be_writable(path):
    """Said before hours are spent, not after."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(None, "is a folder")
        probe = os.path.join(folder, f".{os.path.basename(path)}.probe")
        with open(probe, "wb"):
            pass
        os.unlink(probe)
    except OSError as problem:
        raise Problem(f"{path}: cannot be written: {problem.strerror}", CANNOT_CREATE) from problem
