"""Cannot be imported: its dependency was never installed."""

raise ImportError("No module named 'acme_secret_sauce'")
