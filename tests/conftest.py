"""What several test files share."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ACME = Path(__file__).parent / "acme_plugin"
collect_ignore = ["acme_plugin"]  # another team's tests: they need that team's package installed


@pytest.fixture(scope="session")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which pip has installed Acme's plugin: put it on PYTHONPATH."""
    folder = tmp_path_factory.mktemp("acme")
    # A copy, since a build leaves files behind in its source.
    source = shutil.copytree(ACME, folder / "source")
    site = folder / "site"
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *offline, "--target", str(site)]
    installed = subprocess.run([*command, str(source)], capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr
    return site
