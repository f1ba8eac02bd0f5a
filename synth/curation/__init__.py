"""Choosing among the rows of a whole set: arrays go in, and a `Choice` comes out."""
