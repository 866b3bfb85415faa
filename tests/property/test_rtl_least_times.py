"""The schedule frame by frame finds the least times: against a plain search for the least solution of all frames."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bitsmith.hls.backends.rtl.folded.schedule import Process, Times, Wait

FRAMES = 7


def pipeline(rng: np.random.Generator, paced: bool) -> list[Process]:
    """A tree: each process waits for one before it, which may wait for places that it frees; so nothing deadlocks."""
    counts = rng.integers(1, 9, rng.integers(2, 6))
    waits: list[list[Wait]] = [[] for _ in counts]
    for reader in range(1, len(counts)):
        writer = int(rng.integers(0, reader))
        beats = int(rng.integers(1, min(counts[writer], counts[reader]) + 1))
        made = np.sort(rng.choice(counts[writer], beats, replace=False))
        needed = np.sort(rng.choice(counts[reader], beats, replace=False))
        waits[reader].append(Wait(needed, writer, made, int(rng.integers(0, 5))))
        if rng.random() < 0.7:
            frame, beat = np.divmod(np.arange(beats) - int(rng.integers(1, 3 * beats + 1)), beats)
            freed = frame * counts[reader] + needed[beat]
            waits[writer].append(Wait(made, reader, freed, int(rng.integers(0, 3))))
    pace = int(rng.integers(1, 30))
    floors = [None if n or not paced else _paced(int(c), pace) for n, c in enumerate(counts)]
    return [
        Process(f"p{n}", int(c), int(rng.integers(1, 4)), tuple(w), floor)
        for n, (c, w, floor) in enumerate(zip(counts, waits, floors, strict=True))
    ]


def _paced(count: int, pace: int) -> np.ndarray:
    frame, step = np.divmod(np.arange(FRAMES * count), count)
    return frame * pace + step * pace // count


def least(processes: list[Process]) -> list[list[int]]:
    """All steps of all frames raised one by one, over and over, until nothing moves."""
    times = [[0] * (FRAMES * p.count) for p in processes]
    moved = True
    while moved:
        moved = False
        for number, p in enumerate(processes):
            for step in range(FRAMES * p.count):
                earliest = int(p.not_before[step]) if p.not_before is not None else 0
                if step:
                    earliest = max(earliest, times[number][step - 1] + p.gap)
                for w in p.waits:
                    for at, on in zip(w.at, w.on, strict=True):
                        awaited = step // p.count * processes[w.other].count + on
                        if at == step % p.count and awaited >= 0:
                            earliest = max(earliest, times[w.other][awaited] + w.delay)
                moved |= earliest != times[number][step]
                times[number][step] = earliest
    return times


@settings(max_examples=150)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_times_are_the_least_that_every_wait_allows(seed: int, paced: bool) -> None:
    processes = pipeline(np.random.default_rng(seed), paced)
    found = Times(processes, FRAMES)
    expected = least(processes)
    for number, p in enumerate(processes):
        events = found.events[number]
        every = (np.arange(FRAMES)[:, None] * p.count + events).ravel()
        assert found.at(number, events).ravel().tolist() == [expected[number][step] for step in every]
