"""Sound files as mono float32."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from types import ModuleType
from typing import IO, Any

import numpy as np

from gainstage_files import new_file
from gainstage_files.libraries import missing
from gainstage_files.problem import NO_INPUT, UNAVAILABLE, Problem


def library() -> ModuleType:
    try:
        import soundfile

        return soundfile
    except ImportError as problem:
        raise Problem(f"to read sound: {missing('soundfile')}", UNAVAILABLE) from problem


def mono(x: np.ndarray, path: str) -> np.ndarray:
    """[samples, channels] -> [samples]; two channels that differ are a Problem, for which of them is the
    device's?"""
    if x.shape[1] > 1 and np.any(x != x[:, :1]):
        raise Problem(
            f"{path}: has {x.shape[1]} channels that differ; expected mono (export one channel, or one pair per "
            "channel)"
        )
    return np.ascontiguousarray(x[:, 0])


def wav_sound(file: IO[bytes]) -> tuple[int, int] | None:
    """-> (bytes of sound that a WAV's header promises, bytes there), or None for other files. libsndfile says
    only what is there."""
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    end = os.fstat(file.fileno()).st_size
    while True:
        head = file.read(8)
        if len(head) < 8:
            return None
        size = int.from_bytes(head[4:], "little")
        if head[:4] == b"data":
            return size, end - file.tell()
        file.seek(size + size % 2, os.SEEK_CUR)


@contextlib.contextmanager
def opened(path: str) -> Iterator[int]:
    """-> the descriptor of a regular file, for libsndfile. Whatever goes wrong with it is a Problem."""
    try:
        with new_file.opened(path) as file:
            check_length(path, file)
            file.seek(0)
            yield file.fileno()
    except (OSError, RuntimeError) as problem:  # of libsndfile's words those without our descriptor's number
        cause = getattr(problem, "strerror", None) or getattr(problem, "error_string", problem)
        raise Problem(f"{path}: cannot be read as a sound file: {cause}", NO_INPUT) from problem


def check_length(path: str, file: IO[bytes]) -> None:
    """A Problem where a WAV was cut short, or its recorder never finished it."""
    found = wav_sound(file)
    if found is None:
        return
    promised, there = found
    if promised > there:
        raise Problem(
            f"{path}: is cut short: its header promises {promised} bytes of sound, {there} are there; copy or export "
            "it again"
        )
    if promised == 0 and there > 8:
        raise Problem(
            f"{path}: was never finished: its header says 0 s, and {there} bytes follow; open it in an editor and save "
            "it again"
        )


def info(path: str) -> tuple[int, float]:
    """-> (frames, sample rate) from the header."""
    with opened(path) as descriptor, library().SoundFile(descriptor, closefd=False) as sound:
        return sound.frames, float(sound.samplerate)


def read(path: str, start: int = 0, stop: int | None = None) -> tuple[np.ndarray, float]:
    """-> (float32 [samples], sample rate)"""
    with opened(path) as descriptor:
        x, rate = library().read(
            descriptor, dtype="float32", always_2d=True, start=start, stop=stop, closefd=False
        )
    return mono(x, path), float(rate)


class Lazy:
    """A sound file that looks like a float32 array [samples] and is read where it is sliced: for hours of
    audio."""

    dtype, ndim = np.dtype(np.float32), 1

    def __init__(self, path: str, begin: int = 0, end: int | None = None) -> None:
        frames, self.sample_rate = info(path)
        self.path, self.begin, self.end = path, begin, frames if end is None else end

    def __len__(self) -> int:
        return self.end - self.begin

    @property
    def shape(self) -> tuple[int]:
        return (len(self),)

    def part(self, begin: int, end: int) -> Lazy:
        """The same file from begin to end, still unread."""
        return Lazy(self.path, self.begin + begin, self.begin + end)

    def __getitem__(self, key: Any) -> np.ndarray:
        if isinstance(key, slice) and key.step in (None, 1):
            begin, end, _ = key.indices(len(self))
            return read(self.path, self.begin + begin, self.begin + max(begin, end))[0]
        return np.asarray(self)[key]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = read(self.path, self.begin, self.end)[0]
        return whole if dtype is None else whole.astype(dtype)


Sound = np.ndarray | Lazy  # float32 [samples]
