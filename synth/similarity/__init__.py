"""How alike two texts are: what stages and verifiers share. It knows texts, not records."""
