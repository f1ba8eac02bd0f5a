"""What stages are made of: one concept a file, shared where two stages need it."""
