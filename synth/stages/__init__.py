"""Generators and the verify step: one stage a file."""
