"""Queues between stages: nothing lost, nothing early, little in memory."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.record import Record
from synth.run import channel
from synth.run.channel import Channel, Reordered, Roots, Spool


def at(*position: int) -> Record:
    """Return a record at a place in the run."""
    return Record(f"{position}", (), "", position, {"text": "x" * 20})


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Channel]:
    with closing(Channel(tmp_path)) as made:
        yield made


def test_what_goes_in_first_comes_out_first_through_memory_and_disk(queue: Channel) -> None:
    given_ = [at(n) for n in range(20_000)]
    drawn = random.Random(7)
    taken: list[Record] = []
    start = 0

    while len(taken) < len(given_):
        size = drawn.choice([1, 3, 700])
        queue.put(given_[start : start + size])
        start += size
        taken += queue.take(drawn.choice([0, 2, 500]))

    assert taken == given_
    assert not len(queue)


def test_memory_holds_few_records_however_many_wait(queue: Channel) -> None:
    for n in range(30_000):
        queue.put([at(n)])

    assert len(queue) == 30_000
    assert len(queue._front) + len(queue._back) <= 2048 + 256


def test_a_channel_that_is_empty_again_gives_its_room_on_disk_back(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    places = [spool.park([at(n)] * 100) for n in range(10)]
    assert spool._file is not None
    spool._file.seek(0, 2)
    full = spool._file.tell()

    for place in places:
        spool.fetch(place)

    spool._file.seek(0, 2)
    assert (full > 1000, spool._file.tell()) == (True, 0)
    spool.close()


async def test_a_reader_waits_until_there_is_something(queue: Channel) -> None:
    reading = asyncio.create_task(queue.get(5))
    await asyncio.sleep(0)
    assert not reading.done()

    queue.put([at(1), at(2)])

    assert await reading == [at(1), at(2)]


async def test_news_that_came_while_the_reader_was_busy_still_wakes_it(queue: Channel) -> None:
    queue.put([at(1)])
    await queue.get(5)
    queue.wake()

    assert await asyncio.wait_for(queue.get(5), 1) == []


async def test_a_reader_of_an_ended_channel_gets_the_rest_and_then_nothing(queue: Channel) -> None:
    queue.put([at(1)])
    queue.end()

    assert not queue.ended
    assert await queue.get(5) == [at(1)]
    assert queue.ended
    assert await asyncio.wait_for(queue.get(5), 1) == []


async def test_ending_wakes_a_reader_that_waits(queue: Channel) -> None:
    reading = asyncio.create_task(queue.get(5))
    await asyncio.sleep(0)

    queue.end()

    assert await asyncio.wait_for(reading, 1) == []


def test_the_lowest_seed_at_work_is_known_in_any_order_of_coming_and_going() -> None:
    drawn = random.Random(3)
    roots, at_work = Roots(), list[Record]()

    for _ in range(3000):
        if at_work and drawn.random() < 0.5:
            gone = at_work.pop(drawn.randrange(len(at_work)))
            roots.remove([gone])
        else:
            at_work.append(at(drawn.randrange(50), drawn.randrange(9)))
            roots.add(at_work[-1:])
        assert roots.lowest() == min((record.position[0] for record in at_work), default=None)


def test_seeds_that_are_done_take_no_memory() -> None:
    roots = Roots()

    for n in range(5000):
        roots.add([at(n)])
        roots.remove([at(n)])

    assert (len(roots._heap), len(roots._open)) == (0, 0)


@settings(max_examples=60, deadline=None)
@given(order=st.permutations(range(24)), steps=st.lists(st.integers(1, 5), min_size=24))
def test_records_come_out_by_position_and_never_before_an_earlier_one(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], steps: list[int]
) -> None:
    settled = 0
    arrived: set[int] = set()
    taken: list[int] = []
    reordered = Reordered(tmp_path_factory.getbasetemp(), lambda: settled)

    for number, step in zip(order, steps, strict=False):
        reordered.add([at(number)])
        arrived.add(number)
        settled = next(n for n in range(25) if n not in arrived)
        taken += [record.position[0] for record in reordered.take(step)]
        assert all(number < settled for number in taken)
    taken += [record.position[0] for record in reordered.take(100)]

    assert taken == list(range(24))
    reordered.close()


def test_children_of_one_seed_come_out_together_and_in_order(tmp_path: Path) -> None:
    with closing(Reordered(tmp_path, lambda: 1)) as reordered:
        reordered.add([at(0, 1), at(1, 0), at(0, 0, 2), at(0, 0, 1)])

        assert reordered.take(10) == [at(0, 0, 1), at(0, 0, 2), at(0, 1)]
        assert len(reordered) == 1


def test_what_waits_for_a_slow_record_waits_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "_IN_MEMORY", 4)
    given_ = [at(n) for n in range(1, 100)]
    settled = 0
    with closing(Reordered(tmp_path, lambda: settled)) as reordered:
        reordered.add(given_)
        in_memory = sum(isinstance(held, Record) for *_, held in reordered._held)
        settled = 100

        assert in_memory == 4
        assert reordered.take(200) == given_
