"""First-party verifiers, one a file; each imports only `synth` and is found by its entry point."""
