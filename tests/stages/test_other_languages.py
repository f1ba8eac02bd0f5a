"""Self-Instruct in languages that the paper did not think of."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.record import Record
from synth.similarity.rouge_l import Pool
from synth.similarity.words import rouge_words, unicode_words
from synth.stages.parts.instruction_filters import InstructionFilters
from synth.stages.self_instruct import SelfInstruct
from tests.running import saying, services


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Write a Poem!", ["write", "a", "poem"]),
        ("Größe prüfen", ["grösse", "prüfen"]),
        ("Напиши стих", ["напиши", "стих"]),
        ("写一首诗。", ["写", "一", "首", "诗"]),
        ("用Python写", ["用", "python", "写"]),
        ("snake_case", ["snake", "case"]),
        ("लड़का या लड़की?", ["लड़का", "या", "लड़की"]),
        ("ดี", ["ด", "ี"]),
        ("…", []),
    ],
)
def test_words_are_told_apart_in_any_script(text: str, words: list[str]):
    assert unicode_words(text) == words


def test_texts_in_other_scripts_are_similar_only_by_their_own_words():
    for words, similar in ((rouge_words, False), (unicode_words, True)):
        pool = Pool(words)
        pool.add("写一首关于春天的诗")

        assert bool(pool.first_above("写一首关于秋天的诗", 0.7)) is similar


@pytest.mark.parametrize(
    ("instruction", "code"),
    [
        ("写诗", "too_short"),
        ("请画一张图片给我看", "blacklisted"),
        ("编写一个程序来排序", "unwanted_prefix"),
        ("请写一首关于春天的诗", ""),
    ],
)
def test_filters_take_words_of_another_language(instruction: str, code: str):
    filters = InstructionFilters(
        min_words=5, blacklist=("图片",), prefixes=("编写一个程序",), ascii_first=False
    )

    assert filters.wrong(instruction, unicode_words).partition(":")[0] == code


def test_a_phrase_in_latin_letters_is_still_a_whole_word():
    filters = InstructionFilters(blacklist=("map", "画"), ascii_first=False)

    assert filters.wrong("Write down what mapping means here") == ""
    assert filters.wrong("Please draw us the map of it").startswith("blacklisted: ")


async def test_a_chinese_pool_refuses_what_repeats_it(tmp_path: Path):
    seeds = [Record.seed({"instruction": "写一首关于春天的诗歌"})]
    reply = "1. 写一首关于秋天的诗歌\n2. 解释什么是光合作用的过程"
    stage = SelfInstruct.model_validate(
        {
            "engine": "teacher",
            "tokenization": "unicode",
            "filters": {"ascii_first": False},
            "num_instructions_to_generate": 1,
            "max_instances_to_generate": 0,
        }
    )
    left: list[Record] = []

    async with services(
        tmp_path,
        label="grow",
        engines={"teacher": saying(reply)},
        prompts=stage.default_prompts,
    ) as given:
        await stage.apply_all(seeds, given, left.extend)

    dropped = [record.dropped.reason for record in left if record.dropped]
    kept = [record for record in left if record.state == "live"]
    assert dropped[0].startswith("similar: ROUGE-L 0.9")
    assert kept[0].instruction == "解释什么是光合作用的过程"
