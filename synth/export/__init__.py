"""Datasets that trainers load: queries over a finished run, written as Parquet with a card."""
