"""A prompt in, a completion out; or log-probabilities of a given text. One engine per file."""
