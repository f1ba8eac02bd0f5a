"""Shipped recipes: one folder each, with its prompts and a README."""
