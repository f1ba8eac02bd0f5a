"""`python -m synth.cli` is `synth`."""

from synth.cli import main

main()
