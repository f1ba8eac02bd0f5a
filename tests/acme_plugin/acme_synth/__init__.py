"""Acme's verifiers, stage and engine."""
