"""What a run says while it learns: a bar on a terminal, plain lines elsewhere."""

import sys

from gainstage_files.plain_text import message

try:
    from tqdm import tqdm
except ImportError:  # pip's PyTorch may come without; lines will do
    tqdm = None


class Display:
    """On standard error, which a pipe of results does not see."""

    def __init__(self, quiet=False, stream=None):
        self.quiet, self.stream, self.bar = quiet, stream or sys.stderr, None
        self.draws = not quiet and tqdm is not None and self.stream.isatty()

    def say(self, text):
        if self.quiet:
            return
        text = message(text)
        if self.bar is not None:
            self.bar.write(text, file=self.stream)
        else:
            print(text, file=self.stream, flush=True)

    def show(self, training):
        """How far a Training is."""
        if not self.draws:
            return
        if self.bar is None:
            self.bar = tqdm(total=100, file=self.stream, bar_format="{percentage:3.0f} %|{bar}| {elapsed} {postfix}")
        self.bar.n = 100 * training.share_done()
        self.bar.set_postfix_str(f"epoch {training.epochs_done():.2f}, best esr {training.at.best_esr:.4g}")

    def close(self):
        if self.bar is not None:
            self.bar.close()
            self.bar = None
