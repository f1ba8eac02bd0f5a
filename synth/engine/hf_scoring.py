"""The log-probabilities of texts in batches: rows of like length, a beginning in common once.

Rows are padded at their end. A causal model reads from left to right, so what stands behind a text
changes nothing in it, and no mask is needed. The vocabulary's scores are computed for the places
that are asked for alone, a few at a time: whole, they would be larger than the model.
"""
# torch is not installed where types are checked.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from synth.engine.hf_packed import packed
from synth.engine.hf_weights import Loaded
from synth.errors import CallFailed

A = TypeVar("A")
G = TypeVar("G")
Tokens = tuple[int, ...]

_LOWEST = -9999.0
_KIN_TOKENS = 32
_SHARED_TOKENS = 64
"""Tokens that a shared beginning must save, for it costs a pass of its own."""
_SCORES_AT_ONCE = {"cpu": 1 << 22, "cuda": 1 << 27}
"""Numbers: places times vocabulary. What a CPU's caches hold is passed over more quickly."""
_LEAST_PLACES = 64
"""For fewer places than that the head's matrix is not worth being fetched."""
_CANARY = tuple(range(3, 11))
_CANARY_AGREES = 1e-2


@dataclass(frozen=True, slots=True)
class Span:
    """The tokens of a text, and from which on they are asked for."""

    tokens: tuple[int, ...]
    first: int
    """At least 1: nothing tells how likely the first token of a text is."""


@dataclass(slots=True)
class _Row:
    tokens: tuple[int, ...]
    spans: list[int]
    """Places, among all that are asked for, of those that this row's tokens begin with."""


def together(waiting: Sequence[Tokens], budget: int) -> list[int]:
    """Return places of the oldest text and of those to compute with it, within `budget` tokens.

    First those that begin like it, then those whose length is nearest.
    """
    oldest = waiting[0]

    def far(place: int) -> tuple[bool, int, int]:
        tokens = waiting[place]
        kin = tokens[:_KIN_TOKENS] == oldest[:_KIN_TOKENS]
        return not kin, abs(len(tokens) - len(oldest)), place

    chosen: list[int] = []
    widest = 0
    for place in sorted(range(len(waiting)), key=far):
        widest = max(widest, len(waiting[place]))
        if chosen and widest * (len(chosen) + 1) > budget:
            break
        chosen.append(place)
    return chosen


def in_halves(
    compute: Callable[[Sequence[A]], list[G | Exception]], asked: Sequence[A]
) -> list[G | Exception]:
    """Return what is computed of a batch; one that does not fit into memory is halved.

    A CallFailed stands for a text that is too long for that by itself.
    """
    import torch

    try:
        with torch.inference_mode():
            return compute(asked)
    except torch.OutOfMemoryError as error:
        if len(asked) == 1:
            return [CallFailed(f"out_of_memory: {error}")]
    torch.cuda.empty_cache()
    middle = len(asked) // 2
    return in_halves(compute, asked[:middle]) + in_halves(compute, asked[middle:])


class Scorer:
    """A causal model that scores texts, in several threads at once if need be."""

    def __init__(self, loaded: Loaded) -> None:
        """Look whether the model can be taken apart: into its body and its head, and by a cache.

        On a CPU its matrices are packed.
        """
        self._network = loaded.network
        self._body = loaded.network.base_model
        self._head = loaded.network.get_output_embeddings()
        self._device = loaded.device
        self._in_parts = False
        self._shares = False
        if self._device == "cpu":
            packed(self._network, self._canary)
            self._head = loaded.network.get_output_embeddings()
        self._look()

    def __call__(self, asked: Sequence[Span]) -> list[tuple[float, ...] | Exception]:
        """Return the natural log-probabilities of each span's tokens, from `first` on.

        A batch that does not fit into memory is halved. A CallFailed stands for a text that is too
        long for that by itself, or that the model has no finite numbers for.
        """
        return in_halves(self._score, asked)

    def _canary(self) -> Any:
        import torch

        with torch.inference_mode():
            return self._network(input_ids=torch.tensor([_CANARY]), use_cache=False).logits

    def _look(self) -> None:
        import torch

        canary = Span(_CANARY, 1)
        rows = [_Row(canary.tokens, [0]), _Row((*canary.tokens[:-1], 2), [1])]
        asked = [canary, Span(rows[1].tokens, 1)]
        places = _places(rows, asked, 0)
        try:
            with torch.inference_mode():
                whole = self._likely(rows, places, 0)
                self._in_parts = True
                self._in_parts = _agree(whole, self._likely(rows, places, 0))
                later = _places(rows, [Span(one.tokens, 5) for one in asked], 4)
                shared = self._likely(rows, later, 4)
                self._shares = self._in_parts and _agree(whole.view(2, -1)[:, 4:], shared)
        except (TypeError, AttributeError, NotImplementedError, IndexError):
            self._in_parts = False

    def _score(self, asked: Sequence[Span]) -> list[tuple[float, ...] | Exception]:
        rows = _rows(asked)
        shared = self._shared(rows, asked)
        places = _places(rows, asked, shared)
        likely = self._likely(rows, places, shared).clamp(_LOWEST, 0.0).tolist()
        given: dict[int, tuple[float, ...] | Exception] = {}
        start = 0
        for row in rows:
            for place in row.spans:
                end = start + len(asked[place].tokens) - asked[place].first
                given[place] = _finite(likely[start:end])
                start = end
        return [given[place] for place in range(len(asked))]

    def _shared(self, rows: Sequence[_Row], asked: Sequence[Span]) -> int:
        """Return how many tokens all rows have in common, or 0 if that does not pay."""
        if not self._shares or len(rows) < 2:
            return 0
        # The lowest and the highest row differ first where any two do.
        low, high = min(row.tokens for row in rows), max(row.tokens for row in rows)
        same = next((n for n, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), 0)
        common = min(same, min(span.first for span in asked) - 1)
        return common if common * (len(rows) - 1) >= _SHARED_TOKENS else 0

    def _likely(self, rows: Sequence[_Row], places: _Places, shared: int) -> Any:
        """Return the log-probabilities at `places`, one after another, as float32."""
        import torch

        read = self._read(rows, shared)[
            torch.tensor(places.rows, device=self._device),
            torch.tensor(places.columns, device=self._device),
        ]
        wanted = torch.tensor(places.tokens, device=self._device)
        pieces = [
            _log_probability(self._scores(read[start:end]), wanted[start:end])
            for start, end in self._few(len(places.tokens))
        ]
        return torch.cat(pieces)

    def _read(self, rows: Sequence[_Row], shared: int) -> Any:
        """Return what the body makes of each token; if it has none, the vocabulary's scores.

        The last token of a text is left out: what would follow it is not asked for.
        """
        import torch

        width = max(len(row.tokens) for row in rows)
        padded = [[*row.tokens[shared:-1], *[0] * (width - len(row.tokens))] for row in rows]
        tokens = torch.tensor(padded, device=self._device)
        if not self._in_parts:
            return self._network(input_ids=tokens, use_cache=False).logits
        if not shared:
            return self._body(input_ids=tokens, use_cache=False).last_hidden_state
        beginning = torch.tensor([rows[0].tokens[:shared]], device=self._device)
        cache = self._body(input_ids=beginning, use_cache=True).past_key_values
        cache.batch_repeat_interleave(len(rows))
        return self._body(input_ids=tokens, past_key_values=cache).last_hidden_state

    def _scores(self, read: Any) -> Any:
        return self._head(read) if self._in_parts else read

    def _few(self, places: int) -> Iterator[tuple[int, int]]:
        """Yield spans of places whose scores are held at once."""
        numbers = _SCORES_AT_ONCE["cuda" if self._device.startswith("cuda") else "cpu"]
        vocabulary = self._network.config.get_text_config().vocab_size
        step = max(_LEAST_PLACES, numbers // vocabulary)
        for start in range(0, places, step):
            yield start, min(start + step, places)


@dataclass(slots=True)
class _Places:
    """Where in a batch the scores of which tokens are read."""

    rows: list[int]
    columns: list[int]
    tokens: list[int]


def _rows(asked: Sequence[Span]) -> list[_Row]:
    """Return the texts to read: one that another begins with is read in that other."""
    rows: list[_Row] = []
    # From the last to the first: right after a text stand those that begin with it.
    for place in sorted(range(len(asked)), key=lambda place: asked[place].tokens, reverse=True):
        tokens = asked[place].tokens
        if rows and rows[-1].tokens[: len(tokens)] == tokens:
            rows[-1].spans.append(place)
        else:
            rows.append(_Row(tokens, [place]))
    return rows


def _places(rows: Sequence[_Row], asked: Sequence[Span], shared: int) -> _Places:
    found = _Places([], [], [])
    for number, row in enumerate(rows):
        for span in (asked[place] for place in row.spans):
            # The scores of a token are read at the one before it.
            columns = range(span.first - 1 - shared, len(span.tokens) - 1 - shared)
            found.rows += [number] * len(columns)
            found.columns += columns
            found.tokens += span.tokens[span.first :]
    return found


def _log_probability(scores: Any, tokens: Any) -> Any:
    # Twice as quick as the difference to `logsumexp`, which passes over the scores more often.
    from torch.nn.functional import cross_entropy

    return -cross_entropy(scores.float(), tokens, reduction="none")


def _finite(likely: Sequence[float]) -> tuple[float, ...] | Exception:
    if any(value != value for value in likely):  # noqa: PLR0124 (true of NaN alone)
        return CallFailed("not_a_number: the model's scores are NaN; try `dtype: float32`")
    return tuple(likely)


def _agree(whole: Any, parts: Any) -> bool:
    return bool(((whole.flatten() - parts.flatten()).abs() < _CANARY_AGREES).all())
