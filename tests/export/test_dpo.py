"""Preference pairs: who is chosen, who is rejected, and who is neither."""
# pyarrow has no complete type stubs; what it returns is unknown to the type checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from synth import export
from synth.recipe import Recipe
from synth.record import Judgement, Message, Record, Verdict

Finish = Callable[[Iterable[Record]], Path]
Recipes = Callable[..., Recipe]
PROMPT: list[Message] = [
    {"role": "system", "content": "Add."},
    {"role": "user", "content": "1 + 1?"},
]


def answers(
    replies: Sequence[str], *, number: int = 0, prompt: Sequence[Message] = PROMPT
) -> list[Record]:
    """Return one child of a seed for each reply."""
    seed = Record.seed({"n": number}, number=number)
    return [
        seed.child("respond", n, messages=[*prompt, {"role": "assistant", "content": reply}])
        for n, reply in enumerate(replies)
    ]


def wrong(record: Record, by: str = "final_answer") -> Record:
    return record.drop("verdict", by=by, reason="wrong: it is")


def pairs(run: Path, split: str = "train") -> list[dict[str, Any]]:
    path = run / "export" / "dpo" / f"{split}.parquet"
    return pq.read_table(path).to_pylist() if path.exists() else []


def replies(run: Path) -> list[tuple[str, str]]:
    return [(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in pairs(run)]


@pytest.fixture
def dpo(recipe: Recipes) -> Callable[..., Recipe]:
    def of(**options: Any) -> Recipe:
        return recipe(dpo={"rejected_by": ["final_answer"], **options})

    return of


def test_a_pair_is_a_live_reply_against_a_dropped_one(finish: Finish, dpo: Recipes) -> None:
    good, bad = answers(["2", "3"])
    run = finish([good, wrong(bad)])

    counts = export.write(run, dpo())

    assert counts == {"dpo": {"train": 1}}
    (row,) = pairs(run)
    assert list(row.items()) == [
        ("prompt", PROMPT),
        ("chosen", [{"role": "assistant", "content": "2"}]),
        ("rejected", [{"role": "assistant", "content": "3"}]),
        ("chosen_id", good.id),
        ("rejected_id", bad.id),
        ("family", good.family),
    ]


def test_the_prompt_is_all_before_the_last_turn(finish: Finish, dpo: Recipes) -> None:
    history: list[Message] = [
        *PROMPT,
        {"role": "assistant", "content": "2"},
        {"role": "user", "content": "Sure?"},
    ]
    good, bad = answers(["Yes", "No"], prompt=history)
    run = finish([good, wrong(bad)])

    export.write(run, dpo())

    assert pairs(run)[0]["prompt"] == history


NEITHER: dict[str, Callable[[Record], Record]] = {
    "an error": lambda record: record.drop("error", by="final_answer", reason="broke"),
    "a filter": lambda record: record.drop("filter", by="final_answer", reason="empty"),
    "held": lambda record: record.hold(by="final_answer", reason="broke"),
    "another verifier": lambda record: wrong(record, by="length"),
}


@pytest.mark.parametrize("neither", NEITHER.values(), ids=NEITHER)
def test_what_no_named_verifier_dropped_is_never_rejected(
    finish: Finish, dpo: Recipes, neither: Callable[[Record], Record]
) -> None:
    good, other = answers(["2", "3"])

    counts = export.write(finish([good, neither(other)]), dpo())

    assert counts == {"dpo": {}}


def test_a_kept_record_that_a_named_verifier_failed_is_neither(
    finish: Finish, dpo: Recipes
) -> None:
    kept, bad, good = answers(["2, I think", "3", "2"])
    failed = Judgement("verify", "final_answer", "final_answer", "1", Verdict.failed("wrong"))
    run = finish([kept.judged(failed), wrong(bad), good])

    export.write(run, dpo(pairs_per_prompt=5))

    assert replies(run) == [("2", "3")]


def test_a_record_that_another_verifier_failed_may_be_chosen(finish: Finish, dpo: Recipes) -> None:
    good, bad = answers(["2", "3"])
    failed = Judgement("verify", "length", "length", "1", Verdict.failed("too_short"))
    run = finish([good.judged(failed), wrong(bad)])

    export.write(run, dpo())

    assert replies(run) == [("2", "3")]


def test_a_live_record_with_passing_verdicts_is_chosen(finish: Finish, dpo: Recipes) -> None:
    good, bad = answers(["2", "3"])
    passed = Judgement("verify", "final_answer", "final_answer", "1", Verdict.passed())
    run = finish([good.judged(passed), wrong(bad)])

    export.write(run, dpo())

    assert replies(run) == [("2", "3")]


@pytest.mark.parametrize(
    ("most", "wanted"),
    [(1, [("a", "w")]), (2, [("a", "w"), ("b", "x")]), (9, [("a", "w"), ("b", "x"), ("c", "y")])],
)
def test_first_meets_first_up_to_so_many_pairs_a_prompt(
    finish: Finish, dpo: Recipes, most: int, wanted: list[tuple[str, str]]
) -> None:
    a, w, b, x, c, y, z = answers(["a", "w", "b", "x", "c", "y", "z"])
    run = finish([a, wrong(w), b, wrong(x), c, wrong(y), wrong(z)])

    export.write(run, dpo(pairs_per_prompt=most))

    assert replies(run) == wanted


def test_what_came_as_a_pair_stays_one(finish: Finish, dpo: Recipes) -> None:
    missing, w = answers(["gone", "w"])
    b, x = answers(["b", "x"], number=1)
    run = finish([missing.drop("filter", by="length", reason="short: is"), wrong(w), b, wrong(x)])

    export.write(run, dpo())

    assert replies(run) == [("b", "x")]


def test_what_siblings_leave_meets_other_answers_to_the_prompt(
    finish: Finish, dpo: Recipes
) -> None:
    a, w, x = answers(["a", "w", "x"])
    b, c = answers(["b", "c"], number=1)
    run = finish([a, wrong(w), wrong(x), b, c])

    export.write(run, dpo(pairs_per_prompt=3))

    assert replies(run) == [("a", "w"), ("b", "x")]


def test_the_same_reply_makes_no_second_pair(finish: Finish, dpo: Recipes) -> None:
    a, again, w, x, other = answers(["2", "2", "3", "3", "4"])
    run = finish([a, again, wrong(w), wrong(x), wrong(other)])

    export.write(run, dpo(pairs_per_prompt=4))

    assert replies(run) == [("2", "3")]


def test_a_reply_that_was_also_chosen_is_never_rejected(finish: Finish, dpo: Recipes) -> None:
    good, same, bad = answers(["2", "2", "3"])
    run = finish([good, wrong(same, by="unique"), wrong(bad)])

    export.write(run, dpo(rejected_by=["unique", "final_answer"], pairs_per_prompt=3))

    assert replies(run) == [("2", "3")]


def test_other_prompts_make_no_pairs(finish: Finish, dpo: Recipes) -> None:
    (good,) = answers(["2"])
    (bad,) = answers(["3"], number=1, prompt=[{"role": "user", "content": "1 + 1?"}])

    counts = export.write(finish([good, wrong(bad)]), dpo())

    assert counts == {"dpo": {}}


def test_a_reply_to_nothing_makes_no_pair(finish: Finish, dpo: Recipes) -> None:
    good, bad = answers(["2", "3"], prompt=[])

    counts = export.write(finish([good, wrong(bad)]), dpo())

    assert counts == {"dpo": {}}


def test_the_same_prompt_of_two_families_is_split_by_the_first(
    finish: Finish, dpo: Recipes
) -> None:
    goods = [answers(["2"], number=n)[0] for n in range(0, 200, 2)]
    firsts, seconds = goods[::2], goods[1::2]
    records: list[Record] = []
    for n, (first, second) in enumerate(zip(firsts, seconds, strict=True)):
        prompt: list[Message] = [{"role": "user", "content": str(n)}]
        chosen = Record.seed({"n": n}, number=2 * n).child(
            "respond", 0, messages=[*prompt, *first.messages[-1:]]
        )
        rejected = Record.seed({"other": n}, number=2 * n + 1).child(
            "respond", 0, messages=[*prompt, {"role": "assistant", "content": second.id}]
        )
        records += [chosen, wrong(rejected)]
    run = finish(records)

    counts = export.write(run, dpo(test_fraction=0.5))

    assert sum(counts["dpo"].values()) == 50
    families = [row["family"] for split in ("train", "test") for row in pairs(run, split)]
    assert set(families) == {record.family for record in records[::2]}


def test_pairs_are_in_the_order_of_their_chosen_records(finish: Finish, dpo: Recipes) -> None:
    groups = [
        answers([f"good {n}", f"bad {n}"], number=n, prompt=[{"role": "user", "content": str(n)}])
        for n in range(2500)
    ]
    run = finish(record for good, bad in groups for record in (wrong(bad), good))

    export.write(run, dpo())

    assert replies(run) == [(f"good {n}", f"bad {n}") for n in range(2500)]


def test_messages_with_more_keys_survive_in_pairs(finish: Finish, dpo: Recipes) -> None:
    prompt: list[Message] = [{"role": "user", "content": "1 + 1?", "name": "Ann"}]
    good, bad = answers(["2", "3"], prompt=prompt)
    run = finish([good, wrong(bad)])

    export.write(run, dpo())

    (row,) = pairs(run)
    assert [json.loads(text) for text in row["prompt"]] == prompt
    assert json.loads(row["rejected"][0]) == {"role": "assistant", "content": "3"}


def test_odd_messages_outside_the_pairs_leave_them_plain(finish: Finish, dpo: Recipes) -> None:
    good, bad = answers(["2", "3"])
    (odd,) = answers(["4"], number=1, prompt=[{"role": "user", "content": "?", "name": "Ann"}])
    run = finish([good, wrong(bad), odd])

    export.write(run, dpo())

    assert replies(run) == [("2", "3")]
