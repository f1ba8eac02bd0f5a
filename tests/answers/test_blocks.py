"""Fenced blocks: what was fenced comes back, whatever stands around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.answers.blocks import CodeBlock

CODE = "def double(x):\n    return 2 * x\n"


def blocks(text: str) -> list[tuple[str, str, bool]]:
    return [(block.language, block.code, block.closed) for block in CodeBlock.all_in(text)]


def test_a_block_has_a_language_and_its_code_as_it_stands():
    assert blocks(f"Here:\n\n```Python title=x\n{CODE}```\nDone.") == [("python", CODE, True)]


@pytest.mark.parametrize("fence", ["```", "~~~", "`````", "~~~~"])
def test_a_fence_is_three_or_more_backticks_or_tildes(fence: str):
    assert blocks(f"{fence}py\n{CODE}{fence}") == [("py", CODE, True)]


@pytest.mark.parametrize("fence", ["``", "~~", "    ```"])
def test_what_is_shorter_or_further_in_is_no_fence(fence: str):
    assert blocks(f"{fence}\n{CODE}{fence}\n") == []


def test_a_fence_inside_a_longer_one_is_content():
    inside = f"Say:\n```python\n{CODE}```\n"

    assert blocks(f"````markdown\n{inside}````\n") == [("markdown", inside, True)]


def test_a_fence_of_the_other_kind_or_with_words_behind_it_ends_nothing():
    inside = "~~~\n``` and so on\n``\n"

    assert blocks(f"```\n{inside}```\n") == [("", inside, True)]


def test_backticks_that_go_on_in_their_line_are_inline_code():
    assert blocks("```print(1)``` prints 1\n") == []


def test_an_indented_fence_takes_its_own_indentation_from_the_code():
    assert blocks("  ```python\n  if x:\n      y()\n z()\n  ```\n") == [
        ("python", "if x:\n    y()\nz()\n", True)
    ]


def test_a_block_that_the_text_ends_in_is_not_closed():
    assert blocks(f"```python\n{CODE}") == [("python", CODE, False)]
    assert blocks("```") == [("", "", False)]


def test_lines_may_end_as_on_windows():
    assert blocks("```python\r\nx = 1\r\n```\r\n~~~\r\ny\r\n~~~") == [
        ("python", "x = 1\n", True),
        ("", "y\n", True),
    ]


@pytest.mark.parametrize("tag", ["python", "PY", "python3", ""])
def test_the_only_block_of_a_language_may_be_tagged_with_its_other_names_or_not_at_all(tag: str):
    assert CodeBlock.only_in(f"```{tag}\n{CODE}```\n\n```bash\npip list\n```").code == CODE


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I would use a loop.", "no_code"),
        (f"```bash\n{CODE}```", "no_code"),
        ("```python\n \n```", "no_code"),
        (f"```python\n{CODE}```\n```\n{CODE}```", "several_blocks"),
        (f"```python\n{CODE}", "cut_off_code"),
        ("Here it is:\n```python", "cut_off_code"),
    ],
)
def test_a_reply_without_exactly_one_whole_block_says_why(text: str, code: str):
    with pytest.raises(ValueError, match=f"^{code}: "):
        CodeBlock.only_in(text)


def test_another_language_has_names_of_its_own():
    text = f"```js\nf()\n```\n```python\n{CODE}```\n"

    assert CodeBlock.only_in(text, "javascript").code == "f()\n"
    with pytest.raises(ValueError, match=r"^no_code: "):
        CodeBlock.only_in(text, "ruby")


@given(st.text() | st.lists(st.sampled_from(["```", "~~~~", "\n", "\r\n", " ", "py", "x"])))
def test_no_text_breaks_it(text: str | list[str]):
    for block in CodeBlock.all_in("".join(text)):
        assert block.closed or block.code in "".join(text).replace("\r\n", "\n")


LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n`~"))


@given(st.lists(LINES), st.sampled_from(["```", "````", "~~~"]), LINES.map(str.strip))
def test_what_was_fenced_comes_back_exactly(lines: list[str], fence: str, prose: str):
    code = "".join(f"{line}\n" for line in lines)

    assert blocks(f"{prose}\n{fence}python\n{code}{fence}\n{prose}") == [("python", code, True)]
