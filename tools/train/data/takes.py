"""Takes: recordings and test signals strung together as they would meet a compressor, at levels from -30 dB to full
scale, with pauses between. The same Generator gives the same take."""

import numpy as np

from . import recordings, signals

QUIETEST_DB, LOUDEST_DB = -30.0, -0.3
SIGNAL_SHARE = 0.15  # of the pieces; the others are recordings


def level(random):
    """A peak level as a gain; loud ones are a little more frequent, as in practice."""
    return 10.0 ** ((QUIETEST_DB + (LOUDEST_DB - QUIETEST_DB) * np.sqrt(random.uniform())) / 20.0)


def phrase(random, library, name, seconds):
    """A recording from any place on, looped, with a change of level in between now and then."""
    x = library(name)
    n = int(seconds * library.sample_rate)
    start = random.integers(len(x)) if random.uniform() < 0.5 else 0
    piece = np.resize(np.roll(x, -start), n)
    if random.uniform() < 0.5:
        piece = signals.steps(piece, library.sample_rate, random.uniform(-24.0, 0.0, size=5), seconds / 5.0)
    return piece


def pattern(random, library, names, seconds):
    """Hits of three recordings on a grid of sixteenths, each of its own strength."""
    rate = library.sample_rate
    out = np.zeros(int(seconds * rate))
    beat = random.uniform(0.1, 0.25)
    for name in random.choice(names, size=3, replace=False):
        hit = library(name)
        for place in np.flatnonzero(random.uniform(size=int(seconds / beat)) < 0.3):
            at = int(place * beat * rate)
            n = min(len(hit), len(out) - at)
            out[at:at + n] += hit[:n] * 10.0 ** (random.uniform(-18.0, 0.0) / 20.0)
    return out / max(np.max(np.abs(out)), 1.0)


def piece(random, library, split, seconds):
    kind = random.uniform()
    phrases, hits = recordings.PHRASES[split], recordings.HITS[split]
    if kind < SIGNAL_SHARE:
        x = signals.any_signal(random, library.sample_rate, seconds)
    elif kind < 0.60:
        x = pattern(random, library, hits, seconds)
    else:
        x = phrase(random, library, str(random.choice(phrases)), seconds)
        if kind > 0.9:  # a band: two at once
            x = 0.6 * x + 0.4 * pattern(random, library, hits, seconds)[:len(x)]
    return signals.edges(x / max(np.max(np.abs(x)), 1e-9), library.sample_rate)


def take(random, library, split, seconds):
    """float32 [seconds * rate]: pieces of 0.7 to 2.5 s, a pause of up to 0.8 s after every second one."""
    rate = library.sample_rate
    out = np.zeros(int(round(seconds * rate)))
    place = 0
    while place < len(out):
        x = piece(random, library, split, random.uniform(0.7, 2.5))[:len(out) - place]
        out[place:place + len(x)] = x * level(random)
        place += len(x) + (int(random.uniform(0.05, 0.8) * rate) if random.uniform() < 0.5 else 0)
    return out.astype(np.float32)
