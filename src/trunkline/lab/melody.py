"""A tune that nobody else plays: proof that what was heard is what was said.

Each call gets a seed of its own; the seed chooses a tone for each slot of 60 ms. What comes back is cut into slots again, at every
possible offset, and compared tone by tone. Silence has no tones, a busy or ringing tone has one, another call's melody has the wrong
ones, and a codec does not matter.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import lru_cache

RATE = 8000
SLOT_SECONDS = 0.06
TONES_HZ = (500, 700, 900, 1100, 1300, 1500, 1700, 1900)  # multiples of 100 Hz apart: told apart in 20 ms, and none is a call progress tone
PROVEN = 0.7  # share of slots that must be right; chance reaches about 0.3 at the best of its offsets

_SLOT = int(RATE * SLOT_SECONDS)
_STEP = _SLOT // 3
_AMPLITUDE = 9000
_QUIET = 200  # mean amplitude below which nothing is said: comfort noise, codec noise
_PURE = 0.5  # share of a step's energy in its loudest tone


def notes(seed: str, count: int) -> list[int]:
    """Indexes into TONES_HZ; neighbours differ."""
    chance = random.Random(seed)  # noqa: S311 - a pattern, not a secret
    found: list[int] = []
    while len(found) < count:
        note = chance.randrange(len(TONES_HZ))
        if not found or note != found[-1]:
            found.append(note)
    return found


def melody(seed: str, seconds: float) -> list[int]:
    """16-bit samples at 8 kHz."""
    samples: list[int] = []
    for note in notes(seed, math.ceil(seconds / SLOT_SECONDS)):
        samples.extend(_tone(note))
    return samples


@lru_cache
def _tone(note: int) -> list[int]:
    turn = 2 * math.pi * TONES_HZ[note] / RATE
    return [round(_AMPLITUDE * math.sin(turn * index)) for index in range(_SLOT)]


def likeness(seed: str, heard: Sequence[int], *, least_seconds: float = 1.0) -> float:
    """The share, 0 to 1, of what was heard that is the melody of `seed`, at the best offset.

    Less than `least_seconds` of tones proves nothing and is 0.
    """
    steps = [_loudest(heard[start : start + _STEP]) for start in range(0, len(heard) - _STEP + 1, _STEP)]
    tones = sum(step is not None for step in steps)
    if tones * _STEP < least_seconds * RATE:
        return 0.0
    tune = [note for note in notes(seed, len(steps)) for _ in range(3)]
    return max(_agreement(tune, steps, offset) for offset in range(-len(steps), len(steps))) / tones


def _agreement(tune: Sequence[int], steps: Sequence[int | None], offset: int) -> int:
    """How many steps are right if the tune started `offset` steps after the recording did."""
    first = max(0, offset)
    return sum(note == step for note, step in zip(tune[first - offset :], steps[first:], strict=False))


def _loudest(samples: Sequence[int]) -> int | None:
    """The tone that dominates, or None for silence and for noise."""
    energy = sum(sample * sample for sample in samples)
    if energy < _QUIET * _QUIET * len(samples):
        return None
    powers = [_goertzel(samples, frequency) for frequency in TONES_HZ]
    best = max(range(len(powers)), key=powers.__getitem__)
    return best if 2 * powers[best] / len(samples) > _PURE * energy else None


def _goertzel(samples: Sequence[int], frequency: int) -> float:
    """Squared magnitude of one frequency; a pure tone of energy E over n samples gives about E * n / 2."""
    factor = 2 * math.cos(2 * math.pi * frequency / RATE)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + factor * last - before
    return last * last + before * before - factor * last * before
