"""Ends the interpreter when imported, as a script without a main guard does."""

raise SystemExit("usage: quits FILE")
