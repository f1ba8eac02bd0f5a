"""Run code that nobody has read: isolated, under limits, with plain values back.

`Sandbox` (box.py) is the door. Outside: `levels` chooses and keeps processes, `launch` and
`bubblewrap` start them, `process` talks to one, `calling` and `checking` are what is asked of them.
`inside/` is what runs there.
"""

from __future__ import annotations

from synth.sandbox.box import Sandbox
from synth.sandbox.language import Executable, Language
from synth.sandbox.outcome import Call, Ran, Result

__all__ = ["Call", "Executable", "Language", "Ran", "Result", "Sandbox"]
