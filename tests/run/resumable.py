"""A run to be killed: `python resumable.py RECIPE_FOLDER DELAY_S [SEED]`.

The model notes each call in `calls.log` beside the recipe: `+` and the question when it is asked,
`-` and the question when it has answered.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path
from typing import Any

from synth.engine.scripted import ScriptedEngine
from synth.run.plan import plan
from synth.run.start import Settings, run

FOLDER, LONGEST_S = Path(sys.argv[1]), float(sys.argv[2])
drawn = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
log = os.open(FOLDER / "calls.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)


async def script(prompt: Any, sampling: Any, origin: Any) -> str:
    """Answer after a while, and note it."""
    asked = f"{prompt.messages[-1]['content']} {origin.sample}"
    os.write(log, f"+{asked}\n".encode())
    await asyncio.sleep(drawn.uniform(0, LONGEST_S))
    os.write(log, f"-{asked}\n".encode())
    return f"An answer to: {prompt.messages[-1]['content']}"


if __name__ == "__main__":
    made = plan(FOLDER / "recipe.yaml", engines={"teacher": ScriptedEngine(script)}).at_once(8)
    sys.exit(run(made, FOLDER / "run", Settings(workers=2)).exit_code)
