"""The tree in README.md is the real one.

It is the fenced block that has a line for `synth/`: one path and its remark a line, two or more
spaces between them, children indented by two spaces more than their folder.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINE = re.compile(r"(?P<indent> *)(?P<name>\S+)(?: {2,}(?P<remark>\S.*))?")
UNREMARKED = {"__init__.py", "py.typed"}
pytestmark = pytest.mark.checkout


def written() -> dict[str, str]:
    """Return each path of README's tree with its remark."""
    blocks = re.findall(
        r"^```\w*\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    block = next((block for block in blocks if re.search(r"^synth/ ", block, re.MULTILINE)), "")
    assert block, (
        "README.md: wanted a fenced block with the tree, a line of it for synth/, found none"
    )
    tree: dict[str, str] = {}
    folders: list[str] = []
    for line in filter(str.strip, block.splitlines()):
        match = LINE.fullmatch(line.rstrip())
        assert match, f"README.md, tree: wanted `path    remark`, got {line!r}"
        folders[len(match["indent"]) // 2 :] = [match["name"]]
        tree["".join(folders)] = match["remark"] or ""
    return tree


def real() -> set[str]:
    """Return the files of the working tree that git does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}


def children(folder: str) -> set[str]:
    """Return the direct children of a folder, folders with a slash at the end."""
    inside = [name.removeprefix(folder) for name in real() if name.startswith(folder)]
    return {folder + re.sub(r"/.*", "/", name) for name in inside} - {
        folder + n for n in UNREMARKED
    }


def test_the_tree_names_nothing_that_does_not_exist():
    gone = [path for path in written() if not (ROOT / path).exists()]

    assert gone == []


def test_every_top_level_folder_is_in_the_tree():
    folders = {name for name in children("") if name.endswith("/") and not name.startswith(".")}

    assert sorted(folders - set(written())) == []


def test_every_child_of_synth_is_in_the_tree():
    assert sorted(children("synth/") - set(written())) == []


def test_every_path_of_the_tree_has_a_remark():
    assert [path for path, remark in written().items() if not remark] == []
