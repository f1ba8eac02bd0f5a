"""How a debate is settled: answers read, votes counted, ties, and a judge who sees no names."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from synth.engine.base import Completion
from synth.errors import CallFailed
from synth.record import Message, Record
from synth.stages.parts.debate_answers import Reading, Said, leaders, read_answer, votes_of
from synth.stages.parts.debate_judge import shuffled
from synth.stages.parts.replies import MalformedError
from tests.running import question, saying, services
from tests.stages.debating import Reply, answering, debate, debated, ended, reasons, script

# Reading answers


@pytest.mark.parametrize(
    ("text", "reading", "vote"),
    [
        ("Answer: 18 km", "marked", "18"),
        ("First 3.\n**Answer:** 1,000.", "marked", "1000"),
        (r"So \boxed{\frac{7}{36}}", "marked", "7/36"),
        ("Answer: The Nile.", "marked", "nile"),
        ("Answer: 3\nNo, I err.\nAnswer: 4", "marked", "4"),
        ("That makes 12 and 1,250 in all.", "number", "1250"),
        ("Answer: 5\nas 2 and 3 are 5, not 6", "number", "5"),
        ("10-3 is what is left", "number", "3"),
        ("It is -0.50", "number", "-1/2"),
        ("Answer: B", "choice", "B"),
        ("Answer: (c)", "choice", "C"),
        ("Answer: option B) 42", "choice", "B"),
        (r"\boxed{\text{D}}", "choice", "D"),
        ("Not (A), so it must be (B).", "choice", "B"),
    ],
)
def test_an_answer_is_found_and_counted(text: str, reading: Reading, vote: str):
    assert read_answer(text, reading)[1] == vote


@pytest.mark.parametrize(
    ("text", "reading", "code"),
    [
        ("It is 18.", "marked", "no_answer"),
        ("Answer:", "marked", "no_answer"),
        ("Answer: ?!", "marked", "unreadable_answer"),
        ("Nothing to count.", "number", "no_answer"),
        ("I have 18 of them.\nAnswer: unknown", "number", "unreadable_answer"),
        ("Answer: 3 or 4", "number", "unreadable_answer"),
        ("Answer: Because", "choice", "unreadable_answer"),
        ("A big city.", "choice", "no_answer"),
    ],
)
def test_what_cannot_be_read_is_no_vote(text: str, reading: Reading, code: str):
    with pytest.raises(MalformedError, match=rf"^{code}: "):
        read_answer(text, reading)


# Votes


def ballots(*votes: str) -> list[Said]:
    return [Said("text", vote=vote) for vote in votes]


def test_votes_are_counted_in_the_order_in_which_they_are_seen():
    votes = votes_of(ballots("7", "", "5", "7"))

    assert list(votes.items()) == [("7", [0, 3]), ("5", [2])]


@pytest.mark.parametrize(
    ("cast", "won"),
    [
        (["5", "7", "7"], ["7"]),
        (["5", "7", "7", "5", "1"], ["5", "7"]),
        (["3", "2", "1"], ["3", "2", "1"]),
        (["", "", "1"], ["1"]),
        (["", ""], []),
    ],
)
def test_the_most_votes_lead_and_equal_ones_tie(cast: list[str], won: list[str]):
    assert leaders(votes_of(ballots(*cast))) == won


async def test_a_tie_is_no_consensus_and_keeps_the_debate(tmp_path: Path):
    (child,) = await ended(tmp_path, debate(pairs=True), *answering(1, 2, 3))

    assert child.dropped is not None
    assert child.dropped.reason == "no_consensus: the most votes, 1, are for '1' and '2' and '3'"
    assert child.messages == question("How many?").messages
    assert child.fields["votes"] == {"1": ["ann"], "2": ["bob"], "3": ["cem"]}
    assert [one["text"] for one in child.fields["debate"][0]] == answering(1, 2, 3)


async def test_the_first_seen_wins_a_tie_as_in_the_authors_code(tmp_path: Path):
    (child,) = await ended(tmp_path, debate(5, mode="reference"), *answering(9, 2, 3, 3, 2))

    assert (child.fields["specialist"], child.fields["final_answer"]) == ("bob", "2")


@pytest.mark.parametrize("mode", ["paper", "reference"])
async def test_an_answer_that_cannot_be_read_never_wins(tmp_path: Path, mode: str):
    last = ["I cannot tell.", "I cannot tell.", "Answer: 7", "I cannot tell.", "Answer: 7"]

    children = await ended(tmp_path, debate(5, mode=mode), *last)

    assert reasons(children) == ["no_answer", "no_answer", "live", "no_answer"]
    assert children[2].fields["final_answer"] == "7"
    assert children[2].fields["votes"] == {"7": ["cem", "eve"]}


@pytest.mark.parametrize("mode", ["paper", "reference"])
async def test_one_answer_alone_is_no_debate(tmp_path: Path, mode: str):
    failed = CallFailed("bad_request: refused")

    children = await ended(tmp_path, debate(mode=mode), failed, "Answer: 7", "Who knows?")

    assert reasons(children) == ["bad_request", "no_answer", "too_few_answers"]
    assert [child.position for child in children] == [(0, 0), (0, 2), (0, 3)]
    assert children[-1].fields["votes"] == {"7": ["bob"]}


# The judge


def picking(name: str) -> Callable[[str], Reply]:
    """Return a judge who picks the reply of a specialist, wherever it stands."""

    def judge(prompt: str) -> Reply:
        found = re.search(rf'<reply number="(\d)">\s*I am {name}\.', prompt)
        assert found
        return f"Best: 1\nThat was too quick.\n**Best:** {found[1]}"

    return judge


@pytest.mark.parametrize("name", ["ann", "bob", "cem"])
async def test_the_order_that_the_judge_sees_is_undone(tmp_path: Path, name: str):
    stage = debate(consensus="judge", judge_engine="e", pairs=True)

    children = await ended(tmp_path, stage, *answering(1, 2, 2), judge=picking(name))

    (chosen,) = [child for child in children if "judge_reply" in child.fields]
    assert chosen.fields["specialist"] == name
    assert chosen.reply.startswith(f"I am {name}.")
    assert chosen.fields["side"] == "majority"
    wanted = {"ann": [("bob", "minority"), ("cem", "minority")]}.get(name, [("ann", "minority")])
    others = [child for child in children if child is not chosen]
    assert [(one.fields["specialist"], one.fields["side"]) for one in others] == wanted


async def test_every_order_is_as_likely(tmp_path: Path):
    async with services(tmp_path, engines={"e": saying("")}) as given:
        orders = [tuple(shuffled(question(str(n)), [0, 1, 2], given)) for n in range(6000)]
        again = tuple(shuffled(question("0"), [0, 1, 2], given))

    counts = {order: orders.count(order) for order in set(orders)}
    assert len(counts) == 6
    assert all(880 < count < 1120 for count in counts.values()), counts
    assert again == orders[0]


async def test_a_judge_settles_a_tie_between_the_leaders_alone(tmp_path: Path):
    seen: list[str] = []

    def judge(prompt: str) -> Reply:
        seen.append(prompt)
        return picking("cem")(prompt)

    stage = debate(5, judge_engine="e")
    (child,) = await ended(tmp_path, stage, *answering(9, 2, 3, 3, 2), judge=judge)

    assert (child.fields["specialist"], child.fields["agreement"]) == ("cem", 0.4)
    assert seen[0].count("<reply number=") == 2
    assert "I am ann." not in seen[0]


async def test_a_judge_is_not_asked_where_a_vote_is_clear(tmp_path: Path):
    (child,) = await ended(tmp_path, debate(judge_engine="e"), *answering(9, 2, 2))

    assert child.fields["specialist"] == "bob"
    assert "judge_reply" not in child.fields


async def test_a_judge_is_shown_no_reply_without_an_answer(tmp_path: Path):
    seen: list[str] = []

    def judge(prompt: str) -> Reply:
        seen.append(prompt)
        return "Best: 1"

    stage = debate(consensus="judge", judge_engine="e")
    children = await ended(tmp_path, stage, "I am lost.", *answering(1, 2), judge=judge)

    assert reasons(children) == ["no_answer", "live"]
    assert "I am lost." not in seen[0]


async def test_a_judge_is_shown_the_conversation_before_the_question(tmp_path: Path):
    seen: list[str] = []

    def judge(prompt: str) -> Reply:
        seen.append(prompt)
        return "Best: 1"

    turns = [("user", "I have 5 pens."), ("assistant", "Nice."), ("user", "How many?")]
    record = Record.seed({}, [Message(role=role, content=text) for role, text in turns])
    stage = debate(consensus="judge", judge_engine="e", rounds=1)
    await debated(tmp_path, stage, script({"round_1": answering(4, 5, 5)}, judge), record)

    asked = "<question>\nuser: I have 5 pens.\n\nassistant: Nice.\n\nHow many?\n</question>"
    assert asked in seen[0]


async def test_open_questions_are_judged_without_answers(tmp_path: Path):
    stage = debate(consensus="judge", judge_engine="e", answers="none")

    (child,) = await ended(
        tmp_path,
        stage,
        "I am ann. Blue.",
        "I am bob. Red.",
        "I am cem. Green.",
        judge=picking("bob"),
    )

    assert (child.state, child.reply) == ("live", "I am bob. Red.")
    assert not {"final_answer", "votes", "side", "agreement"} & set(child.fields)


@pytest.mark.parametrize(
    ("said", "code", "kind"),
    [
        ("The second one.", "no_choice", "filter"),
        ("Best: the second", "no_number", "filter"),
        ("Best: 1 or 2", "no_number", "filter"),
        ("Best: 1.5", "no_number", "filter"),
        ("Best: 4", "out_of_range", "filter"),
        ("Best: 0", "no_consensus", "filter"),
        ("", "empty_verdict", "filter"),
        ("<think>Best: 1", "unfinished_reasoning", "filter"),
        (Completion("Best: 1", "length"), "cut_off_verdict", "filter"),
        (CallFailed("bad_request: refused"), "bad_request", "error"),
    ],
)
async def test_a_judge_who_names_nobody_is_a_drop_with_what_it_said(
    tmp_path: Path, said: Reply, code: str, kind: str
):
    stage = debate(consensus="judge", judge_engine="e", pairs=True)

    (child,) = await ended(tmp_path, stage, *answering(1, 2, 3), judge=lambda _prompt: said)

    assert reasons([child]) == [code]
    assert child.dropped is not None
    assert (child.dropped.kind, child.position) == (kind, (0, 3))
    raw = said.text if isinstance(said, Completion) else said
    assert child.fields.get("raw_reply", "") == (raw if kind == "filter" else "")
    assert "debate" in child.fields
