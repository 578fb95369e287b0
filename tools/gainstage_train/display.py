"""What a run says while it learns: a bar on a terminal, plain lines elsewhere."""

import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from gainstage_files.plain_text import message

from .figures import duration, figure

if TYPE_CHECKING:
    from .train import Training

try:
    from tqdm import tqdm
except ImportError:  # pip's PyTorch may come without; lines will do
    tqdm = None

ENOUGH_TO_TELL = 0.02  # of a run, before it tells how long the rest takes
USUAL_COLUMNS = 80


class Display:
    """On standard error, so that a pipe gets results alone."""

    def __init__(self, quiet: bool = False, stream: TextIO | None = None) -> None:
        self.quiet, self.stream = quiet, stream or sys.stderr
        self.bar: Any = None
        self.draws = not quiet and tqdm is not None and self.stream.isatty()

    def say(self, text: str) -> None:
        if self.quiet:
            return
        text = message(text)
        if self.bar is not None:
            self.bar.write(text, file=self.stream)
        else:
            print(text, file=self.stream, flush=True)

    def show(self, training: "Training") -> None:
        """Draws how far a Training is."""
        if not self.draws:
            return
        if self.bar is None:
            columns = unknown_width(self.stream)
            form = "{percentage:3.0f} %|{bar}| {desc}"
            self.bar = tqdm(
                total=100, file=self.stream, bar_format=form, ncols=columns, dynamic_ncols=not columns
            )
        self.bar.n = 100 * training.share_done()
        self.bar.set_description_str(state(training))

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def unknown_width(stream: TextIO) -> int | None:
    """The usual width for a terminal that doesn't know its own, where tqdm would print raw numbers; else None."""
    try:
        return None if os.get_terminal_size(stream.fileno()).columns else USUAL_COLUMNS
    except OSError:
        return USUAL_COLUMNS


def state(training: "Training") -> str:
    """Stands behind the bar: "3:42, 12 min left at most, epoch 2.31, best esr 0.0123"."""
    elapsed, share = training.at.elapsed_s, training.share_done()
    minutes, seconds = divmod(int(elapsed), 60)
    words = [f"{minutes}:{seconds:02d}"]
    if ENOUGH_TO_TELL <= share < 1:
        words.append(f"{duration(elapsed * (1 - share) / share)} left at most")
    words += [f"epoch {training.epochs_done():.2f}", f"best esr {figure(training.at.best_esr)}"]
    return ", ".join(words)
