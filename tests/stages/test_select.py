"""Each way to choose keeps what the method says, and the rest goes with its rank and score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth.errors import InputError
from synth.stages.select import Select
from tests.running import rows_of, services


async def left_out(
    folder: Path, fields: Sequence[dict[str, Any]], **way: dict[str, Any]
) -> dict[int, str]:
    """Return why each record that is left out is, by its place."""
    rows = rows_of(folder, [{"n": number, **given} for number, given in enumerate(fields)])
    async with services(folder) as given:
        chosen = await Select.model_validate(way).choose(rows, given)
    reasons = {number: str(chosen(number)) for number in range(len(fields))}
    return {number: reason for number, reason in reasons.items() if reason}


def scored(*scores: float | None) -> list[dict[str, Any]]:
    return [{"ifd": score} for score in scores]


async def test_the_best_by_a_field(tmp_path: Path):
    found = await left_out(tmp_path, scored(0.2, 0.9, None, 0.5), top={"by": "ifd", "k": 2})

    assert found == {
        0: "outranked: number 3 of 4 with a score of 0.2; only the first 2 are kept",
        2: "not_scored: number 4 of 4; only the first 2 are kept",
    }


async def test_what_is_no_finite_number_is_no_score(tmp_path: Path):
    odd = [True, "3", "high", [1], {"a": 1}, 10**400, None]

    found = await left_out(
        tmp_path, [{"ifd": one} for one in [*odd, 1, 0]], top={"by": "ifd", "k": 2}
    )

    assert {reason.partition(":")[0] for reason in found.values()} == {"not_scored"}
    assert sorted(found) == list(range(len(odd)))


async def test_a_score_of_an_unknown_name_is_a_slip(tmp_path: Path):
    with pytest.raises(InputError, match=r"no record has a score 'ifd_'.* Did you mean 'ifd'"):
        await left_out(tmp_path, scored(1, 2), top={"by": "ifd_", "k": 1})


@pytest.mark.parametrize("other", ["4.5", True, {"a": 1}, [1]])
async def test_a_field_that_holds_no_number_in_any_record_is_a_slip(other: Any, tmp_path: Path):
    with pytest.raises(InputError, match="'ifd' must hold a number; it does in no record"):
        await left_out(tmp_path, [{"ifd": None}, {"ifd": other}], top={"by": "ifd", "k": 1})


@pytest.mark.parametrize(
    "way",
    [
        {"top": {"by": "n", "k": 1, "groups": "domian"}},
        {"quota": {"groups": "domian", "quotas": {"law": 1}}},
        {"tags": {"tags": "domian"}},
        {"facility_location": {"k": 1, "vectors": "domian"}},
    ],
)
async def test_a_field_of_an_unknown_name_is_a_slip(way: dict[str, Any], tmp_path: Path):
    with pytest.raises(InputError, match=r"no record has a field 'domian'.* Did you mean 'domain'"):
        await left_out(tmp_path, [{"domain": ["law"]}], **way)


async def test_a_dot_reaches_into_a_field_unless_a_field_has_that_very_name(tmp_path: Path):
    rows = [{"rated": {"depth": 1}}, {"rated": {"depth": 3}}, {"rated.depth": 2, "rated": {}}]
    rows += [{"rated.depth": None, "rated": {"depth": 9}}]

    found = await left_out(tmp_path, rows, top={"by": "rated.depth", "k": 2})

    assert list(found) == [0, 3]
    assert found[3].startswith("not_scored")


async def test_a_verifier_that_scored_nothing_is_no_slip(tmp_path: Path):
    found = await left_out(tmp_path, scored(None, None), top={"by": "ifd", "k": 1})

    assert list(found) == [1]


async def test_the_best_of_each_domain(tmp_path: Path):
    rows = [{"ifd": n, "domain": "law" if n < 3 else "tax"} for n in range(5)]

    found = await left_out(tmp_path, rows, top={"by": "ifd", "share": 0.5, "groups": "domain"})

    assert list(found) == [0, 1, 3]
    assert "number 3 of 3 in law" in found[0]


async def test_what_is_within_bounds(tmp_path: Path):
    bounds = {"by": "ifd", "below": 1, "at_least": 0.3}

    found = await left_out(tmp_path, scored(0.2, 0.9, None, 1.0), threshold=bounds)

    assert [found[n].partition(":")[0] for n in found] == ["too_low", "not_scored", "too_high"]


async def test_some_at_random_are_the_same_ones_again(tmp_path: Path):
    rows = [{"domain": "law"} for _ in range(50)]
    (tmp_path / "again").mkdir()

    found = await left_out(tmp_path, rows, random={"most": 20})

    assert len(found) == 30
    assert await left_out(tmp_path / "again", rows, random={"most": 20}) == found


async def test_caps_by_group(tmp_path: Path):
    rows = [{"domain": "law"}] * 5 + [{"domain": "tax"}] * 5

    found = await left_out(tmp_path, rows, random={"groups": "domain", "caps": {"law": 2}})

    assert len(found) == 3
    assert max(found) < 5


async def test_a_mix_of_domains(tmp_path: Path):
    rows = [{"domain": name, "ifd": n} for n, name in enumerate(["law"] * 4 + ["tax"] * 4)]
    mix = {"groups": "domain", "quotas": {"law": 1, "tax": 0.5}, "by": "ifd"}

    found = await left_out(tmp_path, rows, quota=mix)

    assert sorted(set(range(8)) - set(found)) == [3, 6, 7]


async def test_a_mix_of_tags_where_a_record_has_several(tmp_path: Path):
    tags = [["law", "tax"], ["law"], ["law", "poem"], ["poem"], None]

    found = await left_out(
        tmp_path,
        [{"tags": one} for one in tags],
        quota={"tags": "tags", "quotas": {"law": 2, "tax": 1}},
    )

    assert {number: reason.partition(":")[0] for number, reason in found.items()} == {
        2: "group_full",
        3: "no_quota",
        4: "no_quota",
    }


@pytest.mark.parametrize("fields", [{}, {"groups": "domain", "tags": "tags"}])
def test_a_mix_is_of_one_field(fields: dict[str, str]):
    with pytest.raises(ValidationError, match=r"either `groups` .one value. or `tags` .a list."):
        Select.model_validate({"quota": {"quotas": {"law": 1}, **fields}})


async def test_records_that_add_a_tag(tmp_path: Path):
    tags = [["a"], ["a", "b"], ["b"], [], None]

    found = await left_out(tmp_path, [{"tags": one} for one in tags], tags={"most": 1})

    assert sorted(found) == [0, 2, 3, 4]


async def test_the_walk_leaves_out_what_is_near_to_a_kept_one(tmp_path: Path):
    rows = [
        {"ifd": 3, "vector": [1, 0]},
        {"ifd": 2, "vector": [0.99, 0.1]},
        {"ifd": 1, "vector": [0, 1]},
    ]

    found = await left_out(tmp_path, rows, deita={"by": "ifd", "vectors": "vector"})

    assert list(found) == [1]
    assert found[1].startswith("too_near: cosine 0.99")


async def test_records_that_others_are_near_to(tmp_path: Path):
    rows = [{"vector": [1.0, n / 100]} for n in range(5)] + [{"vector": [-1.0, 0.0]}]

    found = await left_out(tmp_path, rows, facility_location={"k": 2, "vectors": "vector"})

    assert len(found) == 4
    assert 5 not in found


async def test_some_of_each_cluster(tmp_path: Path):
    pytest.importorskip("sklearn")
    rows = [{"vector": [n % 2, n / 1000]} for n in range(20)]
    few = {"clusters": 2, "per_cluster": 3, "vectors": "vector"}

    found = await left_out(tmp_path, rows, k_means=few)

    kept = set(range(20)) - set(found)
    assert sorted(number % 2 for number in kept) == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("vectors", [[[1], [1, 2]], [[1], None], [["a"], [1]]])
async def test_vectors_of_other_lengths_are_refused(vectors: list[Any], tmp_path: Path):
    rows = [{"vector": one} for one in vectors]

    with pytest.raises(InputError, match="'vector'"):
        await left_out(tmp_path, rows, facility_location={"k": 1, "vectors": "vector"})


@pytest.mark.parametrize(
    "way",
    [
        {"top": {"by": "ifd", "k": 1}},
        {"threshold": {"by": "ifd", "above": 0}},
        {"random": {"most": 1}},
        {"quota": {"groups": "domain", "quotas": {"a": 1}}},
        {"tags": {}},
        {"deita": {"by": "ifd", "vectors": "vector"}},
        {"facility_location": {"k": 1, "vectors": "vector"}},
        {"k_means": {"vectors": "vector"}},
    ],
    ids=lambda way: next(iter(way)),
)
async def test_an_empty_set_is_no_trouble(way: dict[str, Any], tmp_path: Path):
    assert await left_out(tmp_path, [], **way) == {}


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ({}, "wants one way to choose .*got none"),
        ({"tags": {}, "random": {}}, "got random and tags; `tags: null` leaves"),
        ({"top": {"by": "ifd"}}, "either `k` or `share`"),
        ({"top": {"by": "ifd", "k": 1, "share": 0.5}}, "either `k` or `share`"),
        ({"threshold": {"by": "ifd"}}, "wants a bound"),
        ({"threshold": {"by": "ifd", "at_least": 2, "at_most": 1}}, "up from 2 and down from 1"),
        ({"threshold": {"by": "ifd", "above": 1, "at_most": 1}}, "no score is within"),
        ({"random": {"caps": 3}}, "`groups` .* and `caps` .* go together"),
        ({"random": {"groups": "domain"}}, "go together"),
        ({"random": {"groups": "domain", "caps": {"law": -1}}}, "greater than or equal to 0"),
        ({"quota": {"groups": "domain", "quotas": {"law": -1}}}, "'law': wants a number .* got -1"),
        ({"quota": {"groups": "domain", "quotas": {"law": 1.5}}}, "a share from 0.0 to 1.0"),
        ({"quota": {"groups": "domain", "quotas": {}, "others": -0.5}}, "got -0.5"),
        ({"k_means": {"band": [75, 25]}}, "lower percentile first"),
        ({"k_means": {"band": [25, 101]}}, "less than or equal to 100"),
    ],
)
def test_options_that_contradict_each_other_are_refused_at_once(way: dict[str, Any], told: str):
    with pytest.raises(ValidationError, match=told):
        Select.model_validate(way)
