"""Takes: recordings and test signals strung together as they would meet a compressor, at levels from -30 dB
to full scale, with pauses between. The same Generator gives the same take."""

from __future__ import annotations

import numpy as np

from . import recordings, signals
from .recordings import Library

QUIETEST_DB, LOUDEST_DB = -30.0, -0.3
KINDS = ["phrase"] * 5 + ["pattern"] * 4 + ["signal"] * 2 + ["band"]
SHORTEST_S, LONGEST_S = 0.6, 2.4


class Deck:
    """Draws without putting back, shuffled anew when empty: even a short take meets every kind and most
    recordings."""

    def __init__(self, random: np.random.Generator, cards: list[str]) -> None:
        self.random, self.cards = random, list(cards)
        self.left: list[str] = []

    def draw(self) -> str:
        if not self.left:
            self.left = [self.cards[i] for i in self.random.permutation(len(self.cards))]
        return self.left.pop()


class Player:
    """Plays pieces of one split's recordings and of test signals."""

    def __init__(self, random: np.random.Generator, library: Library, split: str) -> None:
        self.random, self.library, self.rate = random, library, library.sample_rate
        self.phrases = Deck(random, recordings.PHRASES[split])
        self.hits = Deck(random, recordings.HITS[split])
        self.kinds = Deck(random, KINDS)

    def phrase(self, seconds: float) -> np.ndarray:
        """A recording from its beginning or any place on, looped; at every second time its level moves in
        steps."""
        x = self.library(self.phrases.draw())
        start = self.random.integers(len(x)) if self.random.uniform() < 0.5 else 0
        out = np.resize(np.roll(x, -start), int(seconds * self.rate))
        if self.random.uniform() < 0.5:
            out = signals.steps(out, self.rate, self.random.uniform(-24.0, 0.0, size=4), seconds / 4.0)
        return out

    def pattern(self, seconds: float) -> np.ndarray:
        """Hits of three recordings on a grid of sixteenths, each of its own strength."""
        out = np.zeros(int(seconds * self.rate))
        beat = self.random.uniform(0.1, 0.25)
        for _ in range(3):
            hit = self.library(self.hits.draw())
            for place in np.flatnonzero(self.random.uniform(size=int(np.ceil(seconds / beat))) < 0.35):
                at = int(place * beat * self.rate)
                n = min(len(hit), len(out) - at)
                out[at : at + n] += hit[:n] * 10.0 ** (self.random.uniform(-18.0, 0.0) / 20.0)
        return out

    def piece(self, seconds: float) -> np.ndarray:
        """Of one kind, peak 1."""
        kind = self.kinds.draw()
        if kind == "signal":
            x = signals.any_signal(self.random, self.rate, seconds)
        elif kind == "pattern":
            x = self.pattern(seconds)
        else:
            x = self.phrase(seconds)
            if kind == "band":
                x = 0.6 * x + 0.4 * self.pattern(seconds)
        return signals.edges(x / max(np.max(np.abs(x)), 1e-3), self.rate)

    def level(self) -> float:
        """A peak level as a gain; loud ones are a little more frequent, as in practice."""
        return 10.0 ** ((QUIETEST_DB + (LOUDEST_DB - QUIETEST_DB) * np.sqrt(self.random.uniform())) / 20.0)

    def pause(self) -> int:
        return int(self.random.uniform(0.05, 0.6) * self.rate) if self.random.uniform() < 0.4 else 0


def take(random: np.random.Generator, library: Library, split: str, seconds: float) -> np.ndarray:
    """float32 [seconds * rate]: pieces of 0.6 to 2.4 s, pauses after some."""
    player = Player(random, library, split)
    out = np.zeros(int(round(seconds * library.sample_rate)))
    place = 0
    while place < len(out):
        x = player.piece(random.uniform(SHORTEST_S, LONGEST_S))[: len(out) - place]
        out[place : place + len(x)] = x * player.level()
        place += len(x) + player.pause()
    return out.astype(np.float32)
