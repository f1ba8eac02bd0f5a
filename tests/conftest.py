"""What several test files share."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# The same examples each time, so that a change is blamed for what it broke. Now and then, for new
# ones: HYPOTHESIS_PROFILE=explore make test
# No test is timed: the first use of a kernel compiles it.
settings.register_profile("explore", derandomize=False, deadline=None)
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# As in a worker process: with several tests at once, more threads in each only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

MOCK_SERVER = Path(__file__).parents[1] / "benchmarks" / "mock_server.py"
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


@pytest.fixture(scope="session")
def mock_server() -> Any:
    """The context manager of benchmarks/mock_server.py."""
    spec = importlib.util.spec_from_file_location("mock_server", MOCK_SERVER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mock_server"] = module
    spec.loader.exec_module(module)
    return module.mock_server
