"""JSON Lines, JSON lists and CSV are streamed; a bad line costs that line and tells its place."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from synth.errors import SeedError
from synth.store import text_rows
from synth.store.text_rows import Row, csv_rows, json_file, json_lines


def lines_of(path: Path, content: bytes) -> list[Row]:
    path.write_bytes(content)
    return list(json_lines(path, "s"))


def items_of(path: Path, content: str) -> list[Row]:
    path.write_text(content, "utf-8")
    return list(json_file(path, "s"))


def csv_of(path: Path, content: bytes) -> list[Row]:
    path.write_bytes(content)
    return list(csv_rows(path, "s"))


def places(rows: list[Row]) -> list[tuple[int, str]]:
    return [(row.number, row.problem.partition(":")[0]) for row in rows]


def test_lines_keep_their_numbers_past_blank_ones_a_byte_order_mark_and_crlf(tmp_path: Path):
    rows = lines_of(tmp_path / "a", b'\xef\xbb\xbf{"n": 1}\r\n  \r\n\n"two"\r\n[3]')

    assert [(row.number, row.value) for row in rows] == [(1, {"n": 1}), (4, "two"), (5, [3])]


def test_what_is_no_json_but_often_written_becomes_null(tmp_path: Path):
    (row,) = lines_of(tmp_path / "a", b"[NaN, -Infinity]")

    assert row.value == [None, None]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"n": }', "not_json: Expecting value at column 7"),
        (b'{"n": 1} {"n": 2}', "not_json: Extra data at column 10"),
        (b'{"n": "\xff"}', "not_utf8: byte 8 of the line is not UTF-8 text"),
        (b"[" * 100_000, "too_deep: the row is nested too deeply"),
        (b"1" * 5000, "not_json: Exceeds the limit"),
    ],
)
def test_a_broken_line_costs_itself_only(tmp_path: Path, line: bytes, problem: str):
    before, broken, after = lines_of(tmp_path / "a", b"1\n" + line + b"\n2\n")

    assert (before.value, after.value) == (1, 2)
    assert broken.number == 2
    assert broken.problem.startswith(problem)
    assert broken.raw == line.decode("utf-8", "replace")[: text_rows.RAW_CHARACTERS]


def test_gzip_is_unpacked(tmp_path: Path):
    rows = lines_of(tmp_path / "a.jsonl.gz", gzip.compress(b'{"n": 1}\n{"n": 2}\n'))

    assert [row.value["n"] for row in rows] == [1, 2]


def test_a_gzip_file_that_breaks_off_gives_what_came_before_and_a_bad_row(tmp_path: Path):
    content = b"".join(
        json.dumps({"n": n, "hash": hash(n * 1.1)}).encode() + b"\n" for n in range(9999)
    )

    *good, last = lines_of(tmp_path / "a.jsonl.gz", gzip.compress(content)[:-5000])

    assert [row.value["n"] for row in good] == list(range(len(good)))
    assert len(good) > 5000
    assert last.number == len(good) + 1
    assert last.problem.startswith("cut_off: the file breaks off here")


def test_a_file_that_only_claims_to_be_gzip_is_one_bad_row(tmp_path: Path):
    assert places(lines_of(tmp_path / "a.jsonl.gz", b"plain text\n")) == [(1, "cut_off")]


def test_a_json_list_gives_its_items_with_their_lines(tmp_path: Path):
    rows = items_of(tmp_path / "a.json", '\ufeff [\n {"n":\n 1},\n\n "two", 3\n]\n')

    assert [(row.number, row.value) for row in rows] == [(2, {"n": 1}), (5, "two"), (5, 3)]


def test_a_json_list_is_the_same_in_chunks_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    objects = [{"text": "x" * n, "n": n * 1000} for n in range(40)]
    content = json.dumps([*range(12345, 12365), "é", *objects, 12345], indent=1)
    whole = items_of(tmp_path / "a.json", content)

    for size in (1, 2, 7, 64):
        monkeypatch.setattr(text_rows, "_CHUNK", size)
        assert list(text_rows._listed(tmp_path / "a.json", "s")) == whole  # pyright: ignore[reportPrivateUsage]


def test_an_empty_list_has_no_rows(tmp_path: Path):
    assert items_of(tmp_path / "a.json", "[ ]") == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[1,\n {"n": }, 3]', "the rest of the list cannot be read"),
        ("[1,\n", "Expecting value"),
        ("[1\n", "wanted ',' or ']' after an item, found the end of the file"),
        ("[1\n 2]", "wanted ',' or ']' after an item, found '2'"),
        ("[1,\n" + "[" * 100_000, "too deeply"),
    ],
)
def test_a_broken_list_gives_what_came_before_and_a_bad_row(
    tmp_path: Path, content: str, said: str
):
    good, bad = items_of(tmp_path / "a.json", content)

    assert good.value == 1
    assert bad.number == 2
    assert said in bad.problem


def test_an_item_that_is_not_utf8_costs_itself_only(tmp_path: Path):
    (tmp_path / "a.json").write_bytes(b'["a", "\xff", "b\\ud800"]')

    first, bad, last = json_file(tmp_path / "a.json", "s")

    assert (first.value, last.value) == ("a", "b\ud800")
    assert bad.problem.startswith("not_utf8")


def test_a_json_file_may_also_hold_one_object_a_line(tmp_path: Path):
    rows = items_of(tmp_path / "a.json", '{"n": 1}\n{"n": 2}\n')

    assert [row.value for row in rows] == [{"n": 1}, {"n": 2}]


def test_one_object_over_several_lines_is_refused(tmp_path: Path):
    content = json.dumps({"models": ["a", "b"]}, indent=1)

    with pytest.raises(SeedError, match="found an object over several lines"):
        items_of(tmp_path / "a.json", content)


def test_csv_gives_text_by_column_with_quotes_newlines_and_a_byte_order_mark(tmp_path: Path):
    rows = csv_of(tmp_path / "a.csv", b'\xef\xbb\xbfq,a\r\n"1,\n""2""",x\r\n\r\n3,\xc3\xa9\r\n')

    assert [(row.number, row.value) for row in rows] == [
        (2, {"q": '1,\n"2"', "a": "x"}),
        (5, {"q": "3", "a": "é"}),
    ]


def test_tabs_separate_when_asked(tmp_path: Path):
    (tmp_path / "a.tsv").write_text("q\ta\n1,5\t2\n")

    (row,) = csv_rows(tmp_path / "a.tsv", "s", delimiter="\t")

    assert row.value == {"q": "1,5", "a": "2"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"1", "ragged_row: 1 values for 2 columns"),
        (b"1,2,3", "ragged_row: 3 values for 2 columns"),
        (b'"1"x,2', "not_csv: "),
        (b"\xff,2", "not_utf8: "),
    ],
)
def test_a_broken_csv_row_costs_itself_only(tmp_path: Path, line: bytes, problem: str):
    before, broken, after = csv_of(tmp_path / "a.csv", b"a,b\n1,2\n" + line + b"\n3,4\n")

    assert (before.value["a"], after.value["a"]) == ("1", "3")
    assert broken.number == 3
    assert broken.problem.startswith(problem)


def test_a_quote_that_never_closes_is_told_where_it_opened(tmp_path: Path):
    good, bad = csv_of(tmp_path / "a.csv", b'a\n1\n"2\n3\n4\n')

    assert good.value == {"a": "1"}
    assert (bad.number, bad.problem) == (3, "not_csv: unexpected end of data")


def test_a_csv_value_may_be_long(tmp_path: Path):
    (row,) = csv_of(tmp_path / "a.csv", b"a\n" + b"x" * 1_000_000 + b"\n")

    assert len(row.value["a"]) == 1_000_000


def test_a_packed_csv_that_breaks_off_ends_in_a_bad_row(tmp_path: Path):
    content = "a\n" + "\n".join(str(hash(n * 1.1)) for n in range(9999))

    *good, last = csv_of(tmp_path / "a.csv.gz", gzip.compress(content.encode())[:-3000])

    assert good
    assert last.problem.startswith("cut_off")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", r"found \[\]"),
        (b"a,,b\n", "''"),
        (b"a,b,a\n1,2,3\n", "'a' twice"),
        (b"\xff\n1", "UTF-8"),
    ],
)
def test_csv_needs_a_header(tmp_path: Path, content: bytes, found: str):
    with pytest.raises(SeedError, match=found):
        csv_of(tmp_path / "a.csv", content)
