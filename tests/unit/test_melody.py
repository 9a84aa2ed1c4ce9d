"""Proof of audio: only the melody that was played is taken for it."""

from __future__ import annotations

import math
import random

import pytest

from trunkline.lab.melody import PROVEN, RATE, likeness, melody

PLAYED = melody("ours", 4.0)


def tones(*frequencies: int, on: float = 1.0, off: float = 0.0) -> list[int]:
    """Four seconds of a call progress tone."""
    period, loud = int(RATE * (on + off)), int(RATE * on)
    return [
        round(sum(4000 * math.sin(2 * math.pi * frequency * index / RATE) for frequency in frequencies)) if index % period < loud else 0
        for index in range(4 * RATE)
    ]


@pytest.mark.parametrize("late", [0, 37, 80, 160, 1000, 8000])
def test_it_is_known_again_however_late_it_comes(late: int) -> None:
    assert likeness("ours", [0] * late + PLAYED[:16000]) > 0.95


def test_it_is_known_again_when_the_beginning_is_missing() -> None:
    assert likeness("ours", PLAYED[5000:]) > 0.95


def test_it_is_known_again_with_lost_packets_and_noise() -> None:
    chance = random.Random(7)
    heard = [0 if index // 160 % 20 == 0 else sample + chance.randint(-800, 800) for index, sample in enumerate(PLAYED)]
    assert likeness("ours", heard) > 0.9


@pytest.mark.parametrize(
    "heard",
    [
        [0] * 4 * RATE,
        tones(425, on=0.5, off=0.5),
        tones(480, 620, on=0.5, off=0.5),
        tones(440, 480, on=2.0, off=4.0),
        tones(1100),
        [random.Random(1).randint(-9000, 9000) for _ in range(4 * RATE)],
        melody("somebody else's", 4.0),
        PLAYED[::-1],
        PLAYED[: RATE // 2],
        [],
    ],
    ids=[
        "silence",
        "busy",
        "busy in the US",
        "ringing",
        "one of its tones",
        "noise",
        "another melody",
        "backwards",
        "too short",
        "nothing",
    ],
)
def test_nothing_else_is_taken_for_it(heard: list[int]) -> None:
    assert likeness("ours", heard) < PROVEN / 2


def test_fifty_strangers_are_told_apart() -> None:
    assert max(likeness(f"stranger {number}", PLAYED[:RATE]) for number in range(50)) < PROVEN
