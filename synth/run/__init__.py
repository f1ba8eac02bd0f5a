"""A recipe applied once: plan, flow, workers, folder."""
