"""What a run leaves: calls and verdicts (SQLite), stage files (Parquet), the database (DuckDB)."""
