"""Shipped seed sets, as JSON Lines with source and licence."""
