"""Which files a Python needs to run: its own, and nothing else of the machine.

The interpreter is asked itself, once: where its standard library lies, which shared libraries it
has mapped, and, for a virtual environment, which folders hold the packages.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from synth.errors import InputError

_ASK_S = 60.0
_ASKED = """
import importlib, json, os, sys, sysconfig
for name in ("ctypes", "decimal", "hashlib", "ssl", "sqlite3", "lzma", "bz2", "zlib"):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
paths = sysconfig.get_paths(vars={"base": sys.base_prefix, "platbase": sys.base_exec_prefix})
libraries = {line.split(None, 5)[5].strip() for line in open("/proc/self/maps") if ".so" in line}
print(json.dumps({
    "executable": [os.path.realpath(sys.executable)],
    "version": [str(part) for part in sys.version_info[:2]],
    "stdlib": sorted({os.path.realpath(paths["stdlib"]), os.path.realpath(paths["platstdlib"])}),
    "libraries": sorted(libraries),
    "path": [os.path.realpath(one) for one in sys.path if os.path.isdir(one)],
}))
"""
_MERGED = ("bin", "lib", "lib32", "lib64", "sbin")
_MASKED = ("site-packages", "dist-packages", "test", "idlelib")
_OLDEST = (3, 9)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python and what it reads; all paths are real ones."""

    executable: str
    standard: tuple[str, ...]
    """Folders of the standard library."""
    libraries: tuple[str, ...]
    """Files and folders with the shared libraries that it loads."""
    packages: tuple[str, ...]
    """Folders that are importable beside the standard library."""

    @property
    def files(self) -> tuple[str, ...]:
        """All that must be readable."""
        return (self.executable, *self.standard, *self.libraries, *self.packages)

    @property
    def masked(self) -> tuple[str, ...]:
        """Folders within the standard library that are none of it."""
        return tuple(
            str(folder)
            for standard in self.standard
            for name in _MASKED
            if (folder := Path(standard) / name).is_dir() and str(folder) not in self.packages
        )


def links() -> tuple[tuple[str, str], ...]:
    """Return the top-level folders that are links, as (target, path): loaders go by these names."""
    found = [Path("/") / name for name in _MERGED]
    return tuple((str(link.readlink()), str(link)) for link in found if link.is_symlink())


@cache
def interpreter(environment: str = "") -> Interpreter:
    """Return the Python of a virtual environment, else the one that runs here, without packages.

    Raises InputError where `environment` is no virtual environment with a Python of 3.9 or later.
    """
    asked = _asked(_python_of(environment))
    if tuple(map(int, asked["version"])) < _OLDEST:
        raise InputError(
            f"the sandbox wants Python 3.9 or later, the environment {environment!r} has "
            f"{asked['version'][0]}.{asked['version'][1]}; make it anew with a later one"
        )
    standard = tuple(asked["stdlib"])
    return Interpreter(
        executable=asked["executable"][0],
        standard=standard,
        libraries=_libraries(asked["libraries"], standard),
        packages=_packages(asked["path"], standard) if environment else (),
    )


def _python_of(environment: str) -> str:
    if not environment:
        return sys.executable
    python = Path(environment) / "bin" / "python"
    if not python.is_file():
        raise InputError(
            f"the sandbox wants the folder of a virtual environment, found no bin/python in "
            f"{environment!r}; `python -m venv {environment}` makes one"
        )
    return str(python)


def _asked(python: str) -> dict[str, list[str]]:
    try:
        said = subprocess.run(  # noqa: S603 (the interpreter that the recipe names)
            [python, "-I", "-c", _ASKED], capture_output=True, timeout=_ASK_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        told = getattr(error, "stderr", b"") or b""
        raise InputError(
            f"the sandbox cannot ask {python!r} where its files are: {error} "
            f"{told.decode(errors='replace')[-300:]}"
        ) from error
    return json.loads(said.stdout)


def _libraries(mapped: list[str], standard: tuple[str, ...]) -> tuple[str, ...]:
    """Return system folders of libraries whole, and single files from anywhere else."""
    found: set[str] = set()
    for name in mapped:
        real = Path(name).resolve()
        if _within(real, standard):
            continue
        system = real.parts[1:2] in (("lib",), ("lib64",)) or real.parts[1:3] in (
            ("usr", "lib"),
            ("usr", "lib64"),
        )
        found.add(str(real.parent if system else real))
    found.update(folder for folder in ("/usr/lib64", "/etc/ld.so.cache") if Path(folder).exists())
    return tuple(sorted(found))


def _packages(path: list[str], standard: tuple[str, ...]) -> tuple[str, ...]:
    lib = {str(Path(folder) / "lib-dynload") for folder in standard}
    return tuple(one for one in path if one not in standard and one not in lib)


def _within(path: Path, folders: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
