"""What lies in programs/ is run by tests in the sandbox, and nowhere else."""

from __future__ import annotations

collect_ignore = ["programs"]
