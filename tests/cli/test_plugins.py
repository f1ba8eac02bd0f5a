"""`synth plugins`: what is installed, and what one does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.running import command


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_all_plugins_are_listed_by_kind_with_who_brings_them():
    said = command("plugins")

    assert (said.code, said.err) == (0, "")
    listed = rows(said.out)
    kinds = [listed.index([kind]) for kind in ("engines", "stages", "verifiers")]
    assert kinds == sorted(kinds)
    respond = next(row for row in listed if row[0] == "respond")
    assert respond[1] == "expertsynth"
    assert listed[-1] == ["`synth", "plugins", "show", "NAME`", "explains", "one"]


def test_the_list_can_be_read_by_a_script():
    found = json.loads(command("plugins", "--json").out)

    assert {plugin["kind"] for plugin in found} == {"engines", "stages", "verifiers"}
    (length,) = [plugin for plugin in found if plugin["name"] == "length"]
    assert length["target"] == "synth.verifiers.length:Length"


def test_one_plugin_is_explained_with_its_options():
    said = command("plugins", "show", "magpie")

    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("magpie  (stage, expertsynth ")
    assert (
        lines[2]
        == "  Make `n` children of a record, each with user turns that the model itself wrote."
    )
    options = {row[0]: row[1:3] for row in rows(said.out[said.out.index("\noptions\n") :]) if row}
    assert options["engine"] == ["string", "required"]
    assert options["n"] == ["integer", "1"]
    assert options["sampling.temperature"] == ["number", "1.0"]
    assert options["reply_sampling.max_tokens"] == ["integer", "4096"]
    assert "reply_sampling.top_k" not in options


def test_options_inside_of_options_are_explained_too():
    shown = json.loads(command("plugins", "show", "respond", "--json").out)

    options = {option["name"]: option for option in shown[0]["options"]}
    assert options["sampling"]["default"] == "…"
    assert options["sampling.temperature"]["type"] == "number"
    assert options["sampling.temperature"]["help"] == "0 is greedy."
    assert options["conversation"]["type"] == "record | prompt"


@pytest.mark.parametrize("name", ["http", "scripted", "magpie", "verify", "length", "refusal"])
def test_every_option_that_is_shown_has_a_type_and_a_default(name: str):
    (shown,) = json.loads(command("plugins", "show", name, "--json").out)

    assert shown["name"] == name
    assert shown["help"] != "(no description)"
    assert shown["options"]
    assert all(option["type"] and option["default"] for option in shown["options"])


def test_a_plugin_in_a_file_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "from synth import Record, verifier\n\n"
        "@verifier\ndef polite(record: Record, words: int = 3) -> bool:\n"
        '    """The reply thanks."""\n    return "thank" in record.reply\n'
    )

    said = command("plugins", "show", "./mine.py:polite")

    assert said.code == 0
    assert said.out.startswith("./mine.py:polite  (verifier, file mine.py ")
    assert "  The reply thanks.\n" in said.out
    assert "  words  integer  3" in said.out


def test_an_unknown_name_is_answered_with_the_nearest():
    said = command("plugins", "show", "lenght")

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("synth: no verifier named 'lenght'. Did you mean 'length'? ")
