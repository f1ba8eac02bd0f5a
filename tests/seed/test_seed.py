"""Names become sources, sources become records: order, identity, limits and losses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synth import seed
from synth.errors import SeedError
from synth.record import Record


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def records_of(folder: Path, *names: str, limit: int | None = None) -> list[Record]:
    return list(seed.records(seed.resolve(names, folder), limit=limit))


def fingerprint_of(folder: Path, name: str) -> str:
    return seed.resolve([name], folder)[0].fingerprint()


def test_records_come_in_the_order_of_names_and_lines_numbered_from_0(tmp_path: Path):
    write(tmp_path / "b.jsonl", '{"n": 1}', "", '{"n": 2}')
    write(tmp_path / "a.jsonl", '{"n": 3}')

    made = records_of(tmp_path, "b.jsonl", "a.jsonl")

    assert [record.fields["n"] for record in made] == [1, 2, 3]
    assert [record.position for record in made] == [(0,), (1,), (2,)]


def test_equal_seeds_have_distinct_ids_that_tell_only_content_and_occurrence(tmp_path: Path):
    write(tmp_path / "twice.jsonl", '{"a": 1, "b": 2}', '{"x": 0}', '{"b": 2, "a": 1}')
    write(tmp_path / "again.jsonl", '{"a": 1, "b": 2}')

    first, _, second, third = records_of(tmp_path, "twice.jsonl", "again.jsonl")

    assert len({first.id, second.id, third.id}) == 3
    assert first.id == Record.seed({"a": 1, "b": 2}).id
    assert second.id == Record.seed({"a": 1, "b": 2}, number=9, occurrence=1).id
    assert third.id == Record.seed({"a": 1, "b": 2}, occurrence=2).id


def test_a_count_gives_empty_seeds_with_distinct_ids(tmp_path: Path):
    sources = seed.resolve({"count": 3}, tmp_path)

    made = list(seed.records(sources))

    assert [(record.fields, record.messages) for record in made] == [({}, ())] * 3
    assert [record.id for record in made] == [
        Record.seed({}, occurrence=occurrence).id for occurrence in range(3)
    ]
    assert sources[0].name == "count: 3"
    assert sources[0].fingerprint() != seed.resolve({"count": 4}, tmp_path)[0].fingerprint()


def test_a_bad_row_is_a_dropped_record_with_its_text_and_place(tmp_path: Path):
    write(tmp_path / "seeds.jsonl", '{"n": 1}', "{broken " + "x" * 3000, '{"n": 3}')

    good, bad, after = records_of(tmp_path, "seeds.jsonl")

    assert (good.state, bad.state, after.state) == ("live", "dropped", "live")
    assert bad.position == (1,)
    assert bad.dropped is not None
    assert (bad.dropped.kind, bad.dropped.by) == ("error", "seeds")
    assert bad.dropped.reason.startswith("not_json: seeds.jsonl line 2: Expecting property name")
    assert bad.fields == {"raw": "{broken " + "x" * 1992, "file": "seeds.jsonl", "line": 2}


def test_a_row_that_parses_but_cannot_be_used_is_told_with_its_text(tmp_path: Path):
    write(tmp_path / "chat.jsonl", '{"messages": []}', '{"messages": "hä?"}', '"Hello"')

    empty, wrong, _ = records_of(tmp_path, "chat.jsonl")

    assert empty.dropped is not None
    assert empty.dropped.reason == "no_messages: chat.jsonl line 1: 'messages' is empty"
    assert wrong.fields["raw"] == '{"messages": "hä?"}'


def test_the_text_of_an_unusable_row_is_cut_and_whole_unicode(tmp_path: Path):
    broken = r'{"messages": "\ud800' + "x" * 5000 + '"}'
    write(tmp_path / "chat.jsonl", broken, '"Hello"')

    bad, _ = records_of(tmp_path, "chat.jsonl")

    assert bad.fields["raw"] == ('{"messages": "\ufffd' + "x" * 5000)[:2000]


def test_a_log_that_breaks_off_is_a_seed_only_for_those_who_take_broken_ones(tmp_path: Path):
    turns = [("human", "Why?"), ("gpt", "So."), ("plugin", "?"), ("gpt", "Yes.")]
    log = {"conversations": [{"from": role, "value": said} for role, said in turns]}
    write(tmp_path / "logs.jsonl", '{"prompt": "Whole"}', json.dumps(log))
    sources = seed.resolve(["logs.jsonl"], tmp_path)

    _, dropped = seed.records(sources)
    _, taken = seed.records(sources, broken=True)

    assert dropped.dropped is not None
    assert dropped.dropped.reason.startswith("broken_turn: unknown_role: turn 3 has the role")
    assert taken.state == "live"
    assert [turn["content"] for turn in taken.messages] == ["Why?", "So."]


def test_the_limit_counts_good_seeds_and_stops_right_after_the_last(tmp_path: Path):
    write(tmp_path / "a.jsonl", "?", '{"n": 1}', "?", '{"n": 2}', "?")
    write(tmp_path / "b.jsonl", '{"n": 3}')

    assert [r.state for r in records_of(tmp_path, "a.jsonl", "b.jsonl", limit=2)] == [
        "dropped",
        "live",
        "dropped",
        "live",
    ]
    assert records_of(tmp_path, "a.jsonl", "b.jsonl", limit=3)[-1].fields == {"n": 3}
    assert records_of(tmp_path, "a.jsonl", limit=0) == []


def test_a_file_without_a_good_row_is_refused_before_anything_runs(tmp_path: Path):
    write(tmp_path / "all_bad.jsonl", '{"messages": 3}', "also bad")

    with pytest.raises(SeedError) as caught:
        seed.resolve(["all_bad.jsonl"], tmp_path)

    assert str(caught.value) == (
        "wanted rows to start from in 'all_bad.jsonl', found no good one: "
        "no_messages: all_bad.jsonl line 1: wanted a list of turns as 'messages', found a number"
    )
    assert caught.value.exit_code == 2


def test_an_empty_file_is_refused(tmp_path: Path):
    (tmp_path / "empty.jsonl").touch()

    with pytest.raises(SeedError, match=r"'empty\.jsonl', found no good one: there are none"):
        seed.resolve(["empty.jsonl"], tmp_path)


def test_all_names_that_lead_nowhere_are_told_at_once_with_the_nearest_right_ones(tmp_path: Path):
    write(tmp_path / "data" / "mine.jsonl", "{}")
    names = ["everyday_question", "data/mine.json", "nothing_like_it"]

    found = seed.problems(names, tmp_path)
    with pytest.raises(SeedError) as caught:
        seed.resolve(names, tmp_path)

    assert [name for name, _ in found] == names
    assert found[0][1].endswith("'everyday_question'. Did you mean 'everyday_questions'?")
    assert found[1][1].endswith("'data/mine.json'. Did you mean 'data/mine.jsonl'?")
    assert str(caught.value).splitlines() == [message for _, message in found]


def test_names_that_can_be_used_are_no_problem(tmp_path: Path):
    assert seed.problems(["everyday_questions"], tmp_path) == []


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path: Path):
    write(tmp_path / "notes.docx", "hello")

    with pytest.raises(SeedError, match=r"\.jsonl, .*\.parquet.*\.pdf.*found 'notes\.docx'"):
        seed.resolve(["notes.docx"], tmp_path)


def test_a_name_too_long_for_the_disk_is_a_problem_like_any_other(tmp_path: Path):
    with pytest.raises(SeedError, match="could not look up"):
        seed.resolve(["x" * 5000], tmp_path)


def test_a_shipped_name_is_found_and_a_file_of_that_name_goes_first(tmp_path: Path):
    shipped = records_of(tmp_path, "everyday_questions", limit=1)
    write(tmp_path / "everyday_questions" / "mine.jsonl", '"Mine?"')

    own = records_of(tmp_path, "everyday_questions", limit=1)

    assert shipped[0].fields["topic"] == "weather"
    assert own[0].instruction == "Mine?"
    assert "everyday_questions" in seed.shipped()


def test_a_folder_gives_its_known_files_by_name_and_nothing_below(tmp_path: Path):
    write(tmp_path / "data" / "2.csv", "n", "two")
    write(tmp_path / "data" / "1.jsonl", '{"n": "one"}', "bad")
    write(tmp_path / "data" / "README.md", "words")
    write(tmp_path / "data" / "deeper" / "0.jsonl", '{"n": "zero"}')

    one, bad, two = records_of(tmp_path, "data/")

    assert (one.fields["n"], two.fields["n"]) == ("one", "two")
    assert bad.fields["file"] == "data/1.jsonl"


def test_the_files_of_a_folder_come_in_the_order_of_their_names(tmp_path: Path):
    names = [f"{n:02d}" for n in range(40)]
    for name in reversed(names):
        write(tmp_path / "data" / f"{name}.jsonl", json.dumps({"name": name}))

    assert [record.fields["name"] for record in records_of(tmp_path, "data")] == names


def test_a_folder_without_a_known_file_is_refused(tmp_path: Path):
    write(tmp_path / "data" / "notes.docx", "words")

    with pytest.raises(SeedError, match="folder 'data', found no file of a known format"):
        seed.resolve(["data"], tmp_path)


def test_records_never_tell_an_absolute_path(tmp_path: Path):
    path = write(tmp_path / "seeds.jsonl", "bad", '"good"')

    bad, _ = records_of(Path("elsewhere"), str(path))

    assert bad.fields["file"] == "seeds.jsonl"
    assert bad.dropped is not None
    assert str(tmp_path) not in bad.dropped.reason


def test_the_fingerprint_tells_the_content_and_not_where_it_lies(tmp_path: Path):
    write(tmp_path / "a" / "s.jsonl", '{"n": 1}')
    write(tmp_path / "b" / "s.jsonl", '{"n": 1}')
    before = fingerprint_of(tmp_path / "a", "s.jsonl")

    assert fingerprint_of(tmp_path / "b", "s.jsonl") == before

    write(tmp_path / "a" / "s.jsonl", '{"n": 2}')
    assert fingerprint_of(tmp_path / "a", "s.jsonl") != before


def test_the_fingerprint_of_a_folder_covers_every_file(tmp_path: Path):
    write(tmp_path / "d" / "a.jsonl", '{"n": 1}')
    before = fingerprint_of(tmp_path, "d")
    write(tmp_path / "d" / "b.jsonl", '{"n": 2}')

    assert fingerprint_of(tmp_path, "d") != before


def test_a_file_is_read_as_records_are_taken(tmp_path: Path):
    path = write(tmp_path / "s.jsonl", *(json.dumps({"n": n}) for n in range(200_000)))
    stream = seed.records(seed.resolve(["s.jsonl"], tmp_path))
    next(stream)

    with path.open("rb+") as file:
        file.truncate()

    assert sum(1 for _ in stream) < 100_000


def test_lone_surrogates_never_get_in(tmp_path: Path):
    write(tmp_path / "s.jsonl", r'{"k\ud800": "v\udfff"}', r'{"\ud83d\ude00": 1}', r'{"\ud800"')

    cleaned, paired, broken = records_of(tmp_path, "s.jsonl")

    assert cleaned.fields == {"k\ufffd": "v\ufffd"}
    assert paired.fields == {"😀": 1}
    assert broken.fields["raw"] == r'{"\ud800"'


@pytest.mark.parametrize(
    ("name", "said"),
    [("hub:no_slash", "wanted `hub:org/name`"), ("hub:a/b/c", "wanted `hub:org/name`")],
)
def test_a_misspelled_hub_name_is_refused_without_asking_the_hub(
    tmp_path: Path, name: str, said: str
):
    with pytest.raises(SeedError, match=said):
        seed.resolve([name], tmp_path)
