"""Hallucinated APIs: found where packages are installed, never guessed at."""

from __future__ import annotations

import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from synth import Record, Verdict
from synth.testing import VerifierContract, judge, made, record

SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
WHERE = "/var/tmp"  # noqa: S108 (a folder of its own within, which a sandbox's /tmp does not hide)
HERE = {"packages": ["numpy", "pandas"], "sandbox": {"environment": sys.prefix}}
ACME = """
from functools import wraps

def build(size, *, color="red"): ...

def renamed(old, new):
    def decorate(function):
        @wraps(function)
        def inner(*args, **kwargs):
            if old in kwargs:
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)
        return inner
    return decorate

@renamed("colour", "color")
def paint(color): ...

class Box:
    width: int
    def __init__(self, width, **more): ...

class Lid:
    __slots__ = ("width",)
    def __init__(self, width): ...

class Dynamic(type):
    def __getattr__(cls, name):
        return name

class Any(metaclass=Dynamic): ...

def __getattr__(name):
    if name == "lazy":
        return build
    raise AttributeError(name)
"""


def coded(code: str, number: int = 0) -> Record:
    return Record.seed({"code": code}, number=number, occurrence=number)


def judged(*codes: str, **options: Any) -> list[Verdict]:
    batch = [coded(code, number) for number, code in enumerate(codes)]
    return judge("apis_exist", batch, **options)


@pytest.fixture(scope="module")
def acme() -> Iterator[dict[str, Any]]:
    """Yield options for an environment in which `acme-tools` brings the package `acme`.

    All may read it: run by root, the sandbox is somebody else, whose /tmp is another one.
    """
    with TemporaryDirectory(dir=WHERE) as folder:
        Path(folder).chmod(0o755)
        yield {"packages": ["Acme_Tools"], "sandbox": {"environment": filled(Path(folder))}}


def filled(folder: Path) -> str:
    """Return the folder as a virtual environment with our packages in it."""
    venv.create(folder, symlinks=True)
    files = {
        "acme/__init__.py": ACME,
        "acme/parts.py": "BOLT = 1\n",
        "acme/broken.py": "raise RuntimeError('not today')\n",
        "acme/needy.py": "import nobody_has_this\n",
        "acme/leaving.py": "import os\nos._exit(3)\n",
        "acme_tools-1.0.dist-info/METADATA": "Name: acme.tools\nVersion: 1.0\n",
        "acme_tools-1.0.dist-info/top_level.txt": "acme\n",
        "sour/__init__.py": "raise RuntimeError('never')\n",
    }
    for name, text in files.items():
        file = folder / SITE / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return str(folder)


class TestContract(VerifierContract):
    verifier = "apis_exist"
    must_pass: ClassVar = [
        coded("one = 1"),
        coded("import json\n\nprint(json.dumps(1, indent=2))", 1),
        "```python\nimport math\n\nprint(math.sqrt(2))\n```",
    ]
    must_fail: ClassVar = [
        "",
        coded("import math\n\nprint(math.root(2))"),
        coded("import json\n\nprint(json.dumps(1, indentation=2))", 1),
        coded("print(''.joins([]))", 2),
        coded("print(", 3),
    ]
    must_abstain: ClassVar = [record(None), [], coded("import numpy")]


@pytest.mark.parametrize(
    "code",
    [
        "import numpy as np\n\nrng = np.random.default_rng(seed=1)\nprint(rng.normals(3))",
        "import numpy as np\n\nprint(np.linalg.inv(np.eye(2, dtype=float)))",
        "from numpy import linalg as la\n\nprint(la.norm([1], ord=2, axis=0))",
        "import numpy as np\n\nx = np.array([1], dtype=np.float64)\nprint(x.anything)",
        "import numpy as np\n\nprint(np.add(1, 2, out=None, where=True))",
        "import numpy as np\n\nx = np.zeros((2, 2))\nnp.savez('a', x=x, anything=x)",
        "import pandas as pd\n\ndf = pd.DataFrame({'a': [1]}, columns=['a'])\nprint(df.a, df.b)",
        "import pandas as pd\n\nprint(pd.read_csv('a.csv', sep=';', usecols=[0]))",
        "import pandas.api.types\n\nprint(pandas.api.types.is_numeric_dtype)",
    ],
)
def test_what_the_packages_have_passes(code: str):
    [verdict] = judged(code, **HERE)

    assert verdict.outcome == "pass", verdict


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "import numpy as np\n\nprint(np.linalg.invert(np.eye(2)))",
            "missing_attribute: line 3: 'numpy.linalg' has no 'invert'; did you mean 'inv' or "
            "'pinv'?",
        ),
        ("import pandas.frames", "missing_module: line 1: 'pandas' has no module 'frames'"),
        (
            "import numpy as np\n\nprint(np.sum([1], axes=0))",
            "unknown_keyword: line 3: 'numpy.sum' takes no keyword argument 'axes'; did you mean "
            "'axis'?",
        ),
        (
            "from pandas import DataFrame\n\nDataFrame([], colums=['a'])",
            "unknown_keyword: line 3: 'pandas.DataFrame' takes no keyword argument 'colums'; did "
            "you mean 'columns'?",
        ),
        (
            "import numpy as np\n\nprint(np.transpose(1, 2, 3, 4))",
            "too_many_arguments: line 3: 'numpy.transpose' takes at most 2 arguments by position, "
            "got 4",
        ),
    ],
)
def test_what_the_packages_lack_fails_and_the_reason_says_what_they_have(code: str, reason: str):
    [verdict] = judged(code, **HERE)

    assert (verdict.outcome, verdict.reason) == ("fail", reason)


@pytest.mark.parametrize(
    "code",
    [
        "import acme\n\nacme.build(1, color='blue')\nacme.lazy(1)",
        "from acme.parts import BOLT",
        "import acme\n\nprint(acme.parts.BOLT)",
        "import acme\n\nacme.paint(color='blue')\nacme.paint(colour='blue')",
        "import acme\n\nacme.Box(1, anything=2)\nprint(acme.Box.width, acme.Any.thing)",
        "import acme.broken\n\nprint(acme.broken.anything, len(''))",
        "import acme.needy\n\nprint(acme.needy.anything, len(''))",
    ],
)
def test_what_cannot_be_known_of_a_package_does_not_fail(code: str, acme: dict[str, Any]):
    [verdict] = judged(code, **acme)

    assert verdict.outcome == "pass", verdict


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import acme\n\nacme.build(1, colour='blue')", "unknown_keyword"),
        ("import acme\n\nacme.build(1, 2)", "too_many_arguments"),
        ("import acme\n\nacme.paint(colors='blue')", "unknown_keyword"),
        ("import acme\n\nacme.lazier(1)", "missing_attribute"),
        ("import acme\n\nacme.lazy(1, shape=2)", "unknown_keyword"),
        ("import acme\n\nacme.Lid(1, 2)", "too_many_arguments"),
        ("import acme\n\nprint(acme.Lid.height)", "missing_attribute"),
        ("from acme.parts import NUT", "missing_attribute"),
        ("from acme import nuts", "missing_attribute"),
        ("import acme.nuts", "missing_module"),
    ],
)
def test_what_is_proven_of_a_package_fails(code: str, reason: str, acme: dict[str, Any]):
    [verdict] = judged(code, **acme)

    assert verdict.reason.partition(":")[0] == reason


def test_all_that_is_missing_stands_in_the_evidence_with_counts():
    [verdict] = judged("import math\nimport numpy\n\nmath.root(2)\nmath.pi\nmath.cube(math.pi)")

    assert verdict.reason == "missing_attribute: line 4: 'math' has no 'root'"
    assert verdict.evidence == {
        "resolved": 5,
        "skipped": 1,
        "missing": [
            {"code": "missing_attribute", "line": 4, "said": "'math' has no 'root'"},
            {"code": "missing_attribute", "line": 6, "said": "'math' has no 'cube'"},
        ],
    }


def test_a_package_that_is_not_named_is_not_judged_unless_something_else_fails():
    alone, beside = judged("import acme", "import acme, math\n\nmath.root(2)")

    assert alone.reason == (
        "unknown_package: 'acme' is neither of the standard library nor in `packages`"
    )
    assert beside.reason.startswith("missing_attribute")


def test_code_of_which_nothing_can_be_known_is_not_judged():
    [verdict] = judged("import winreg\n\nwinreg.OpenKey(1)")

    assert verdict.reason.startswith("nothing_resolved: none of the 2 uses")


def test_packages_want_an_environment():
    with pytest.raises(ValidationError, match=r"need `sandbox: \{environment"):
        judged("import numpy", packages=["numpy"])


def test_a_named_package_that_is_not_installed_is_an_error_and_no_verdict(acme: dict[str, Any]):
    with pytest.raises(ValueError, match=r"'nobody' is not installed.*Install it"):
        judged("import math", **(acme | {"packages": ["nobody"]}))


def test_a_named_package_that_does_not_load_is_an_error_and_no_verdict(acme: dict[str, Any]):
    with pytest.raises(ValueError, match="'sour' does not load: RuntimeError: never"):
        judged("import sour", **(acme | {"packages": ["sour"]}))


def test_a_package_that_ends_the_process_is_an_error_and_no_verdict(acme: dict[str, Any]):
    with pytest.raises(ValueError, match="'acme' ends the process"):
        judged("import acme.leaving", "import math\n\nmath.pi", **acme)


def test_packages_are_not_imported_in_this_process(acme: dict[str, Any]):
    judged("import acme\nimport acme.parts", **acme)

    assert "acme" not in sys.modules


def test_a_question_is_asked_once(acme: dict[str, Any]):
    verifier = made("apis_exist", **acme)
    package = Path(acme["sandbox"]["environment"]) / SITE / "acme"
    [first] = verifier.judge([coded("import acme\n\nacme.build(1)")])

    package.rename(package.with_name("gone"))
    try:
        [again] = verifier.judge([coded("import acme\n\nacme.build(1)\nacme.build(1)")])
    finally:
        package.with_name("gone").rename(package)

    assert first.outcome == again.outcome == "pass"


def test_a_program_that_nests_very_deeply_gets_a_verdict():
    [verdict] = judged("import math\n\nx = math" + ".pi" * 900)

    assert verdict.outcome in {"fail", "abstain"}
