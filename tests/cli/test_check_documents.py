"""`synth check` says which documents and seed files nothing can start from, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.running import command, write_lines, write_recipe

RECIPE = """\
name: papers
seeds: [{seeds}]
engines:
  teacher: {{scripted: {{replies: replies.jsonl}}}}
stages:
  - respond: {{engine: teacher, prompt: ask.jinja}}
export: {{sft: {{}}}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_lines(tmp_path / "replies.jsonl", [{"prompt": "What is Good?", "reply": "Text."}])
    (tmp_path / "ask.jinja").write_text("What is {{ title }}?")
    return tmp_path


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b"", "'a.jsonl', found no good one: there are none"),
        ("a.csv", b"question\n", "'a.csv', found no good one: there are none"),
        ("a.txt", b"\n \n", "no_text: a.txt: the document says nothing"),
        ("a.md", b"\xffab", "not_utf8: a.md: byte 1 is not UTF-8; convert it"),
        ("a.html", b"<script>x</script>", "no_text: a.html: the document says nothing"),
        ("a.pdf", b"%PDF-1.4\n", "broken_pdf: a.pdf: the PDF cannot be read"),
        ("a.docx", b"PK", "documents: .txt, .md, .html, .htm, .pdf), found 'a.docx'"),
    ],
)
def test_a_file_that_no_record_can_start_from_is_told(
    folder: Path, name: str, content: bytes, said: str
):
    write(folder / name, content)
    write_recipe(folder, RECIPE.format(seeds=name))

    checked = command("check", "recipe.yaml")

    assert checked.code == 2
    assert said in " ".join(checked.err.split())
    assert "recipe.yaml, line 2: " in checked.err


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "no file of a known format"),
        (["a/b.png"], "no file of a known format"),
        (["a.pdf", "b/c.pdf"], "broken_pdf: docs/a.pdf: "),
        (["a.csv", "b.pdf"], "found both: 'a.csv' and 'b.pdf'; name the files one by one or give"),
    ],
)
def test_a_folder_that_no_record_can_start_from_is_told(
    folder: Path, files: Sequence[str], said: str
):
    (folder / "docs").mkdir()
    for name in files:
        write(folder / "docs" / name, b"x\n1\n")
    write_recipe(folder, RECIPE.format(seeds="docs"))

    checked = command("check", "recipe.yaml")

    assert checked.code == 2
    assert said in " ".join(checked.err.split())


def test_a_folder_with_one_good_document_is_fine(folder: Path):
    write(folder / "docs" / "a.pdf", b"broken")
    write(folder / "docs" / "deep" / "b.md", b"# Good")
    write_recipe(folder, RECIPE.format(seeds="docs"))

    checked = command("check", "recipe.yaml")

    assert (checked.code, checked.err) == (0, "")


def test_a_run_over_documents_tells_the_unreadable_ones_apart(folder: Path):
    write(folder / "docs" / "a.pdf", b"broken")
    write(folder / "docs" / "b.md", b"# Good\n\nText.")
    write_recipe(folder, RECIPE.format(seeds="docs"))

    ran = command("run", "recipe.yaml", "--into", "out")

    assert "2 seeds → 1 records" in ran.out
    assert "seeds broken_pdf 1" in ran.out
    assert "docs/a.pdf: the PDF cannot be read" in command("why", "out").out
