"""The store of calls and verdicts: durable when it says so, clear when it cannot be."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from synth.errors import StorageError
from synth.store.calls import CallRow, Store


def call(number: int, completion: str = "{}") -> CallRow:
    key = number.to_bytes(16, "little")
    return (key, "http", "m", "r", "respond", "reply", 0, "{}", completion, 1, 2, "stop", 0.5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


def rows(path: Path, table: str = "calls") -> int:
    other = sqlite3.connect(path)
    found = other.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    other.close()
    return found


async def test_a_kept_call_is_on_disk_for_everybody_when_keep_returns(path: Path) -> None:
    async with Store(path) as store:
        await store.keep_call(call(1))

        assert rows(path) == 1
        assert store.call(call(1)[0]) == "{}"


async def test_calls_kept_at_once_share_commits_and_are_all_there(path: Path) -> None:
    async with Store(path) as store:
        await asyncio.gather(*(store.keep_call(call(n, f'"{n}"')) for n in range(500)))

        assert [store.call(call(n)[0]) for n in range(500)] == [f'"{n}"' for n in range(500)]
        assert rows(path) == 500


async def test_what_is_kept_while_a_group_is_written_comes_into_the_next(path: Path) -> None:
    async with Store(path) as store:
        first = asyncio.create_task(store.keep_call(call(1)))
        while not store._group.rows["calls"]:  # noqa: ASYNC110
            await asyncio.sleep(0)
        while store._group.rows["calls"]:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await asyncio.wait_for(store.keep_call(call(2)), 5)
        await first

        assert rows(path) == 2


async def test_a_call_that_was_never_kept_is_none(path: Path) -> None:
    async with Store(path) as store:
        assert store.call(b"\0" * 16) is None


async def test_the_first_of_two_answers_to_one_call_stays(path: Path) -> None:
    async with Store(path) as store:
        await asyncio.gather(store.keep_call(call(1, '"a"')), store.keep_call(call(1, '"b"')))

        assert store.call(call(1)[0]) == '"a"'


async def test_verdicts_are_found_by_any_number_of_keys(path: Path) -> None:
    keys = [n.to_bytes(16, "little") for n in range(1300)]
    async with Store(path) as store:
        await store.keep_verdicts([(key, f'"{n}"', 0.0) for n, key in enumerate(keys)])

        found = store.verdicts([*keys, b"\1" * 16])

    assert found == {key: f'"{n}"' for n, key in enumerate(keys)}


async def test_a_store_that_is_opened_again_knows_everything(path: Path) -> None:
    async with Store(path) as store:
        await store.keep_call(call(1))
        await store.keep_verdicts([(b"k" * 16, '"v"', 0.0)])

    async with Store(path) as again:
        assert again.call(call(1)[0]) == "{}"
        assert again.verdicts([b"k" * 16]) == {b"k" * 16: '"v"'}


async def test_closing_writes_what_waits_and_leaves_one_file(path: Path) -> None:
    store = Store(path)
    keeping = asyncio.create_task(store.keep_call(call(1)))
    await asyncio.sleep(0)

    await store.close()

    await keeping
    assert rows(path) == 1
    assert [file.name for file in path.parent.iterdir()] == ["store.sqlite"]


async def test_a_closed_store_takes_nothing_more(path: Path) -> None:
    store = Store(path)
    await store.close()

    with pytest.raises(StorageError, match="closed"):
        await store.keep_call(call(1))


async def test_a_text_that_is_no_utf8_hurts_only_its_own_call(path: Path) -> None:
    async with Store(path) as store:
        good, bad = await asyncio.gather(
            store.keep_call(call(1)), store.keep_call(call(2, '"\ud800"')), return_exceptions=True
        )

        assert good is None
        assert isinstance(bad, UnicodeEncodeError)
        assert rows(path) == 1


async def test_whoever_waits_for_a_group_that_cannot_be_written_hears_of_it(path: Path) -> None:
    async with Store(path) as store:
        store._writer.execute("DROP TABLE calls")

        failed = await asyncio.gather(
            *(store.keep_call(call(n)) for n in range(3)), return_exceptions=True
        )

    assert [type(error) for error in failed] == [StorageError] * 3


@pytest.mark.parametrize("content", [b"SQLite format 3\0" + b"\xff" * 4096, b"garbage" * 1000])
def test_a_file_that_is_no_store_says_what_to_do(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(
        StorageError, match=r"store\.sqlite is damaged .*Move it away and run again"
    ):
        Store(path)


async def test_a_store_that_was_cut_off_says_what_to_do(path: Path) -> None:
    async with Store(path) as store:
        for start in range(0, 2000, 500):
            await asyncio.gather(
                *(store.keep_call(call(n, f'"{n:0200}"')) for n in range(start, start + 500))
            )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])

    with pytest.raises(StorageError, match="Move it away and run again"):
        Store(path)


async def test_a_newer_format_is_refused_and_left_alone(path: Path) -> None:
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    before = path.read_bytes()

    with pytest.raises(StorageError, match="newer synth"):
        Store(path)

    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_an_outside_error() -> None:
    with pytest.raises(StorageError, match="cannot use store"):
        Store(Path("/proc/store.sqlite"))
