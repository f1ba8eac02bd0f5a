"""A network's matrices laid out for oneDNN: on a CPU whose wide instructions MKL leaves unused.

PyTorch multiplies float32 matrices with MKL, which gives processors of AMD half the width that they
have. oneDNN asks the processor what it can do. The numbers are the same but for rounding.
"""
# torch is not installed where types are checked.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportUntypedBaseClass=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_CLOSE = 1e-2


def packed(network: Any, look: Callable[[], Any]) -> bool:
    """Lay out the matrices of a float32 network on the CPU anew; return whether that was done.

    `look` gives what the network makes of some input. If that does not stay what it is with one
    matrix of each name in the new layout, or what is needed is not there, nothing is changed.
    """
    import torch

    if not _can(torch):
        return False
    before, pack = look(), _packing()
    places = _matrices(network, torch.float32)
    tried = {name: (parent, name) for parent, name in reversed(places)}
    kept = [(*place, getattr(*place)) for place in tried.values()]
    try:
        for parent, name, layer in kept:
            setattr(parent, name, pack(layer))
        same = bool(((look() - before).abs() < _CLOSE).all())
    except (RuntimeError, AttributeError, TypeError, NotImplementedError):
        same = False
    if not same:
        for parent, name, layer in kept:
            setattr(parent, name, layer)
        return False
    # One after another: each takes the place of its old self, so both never lie in memory whole.
    for parent, name in places:
        if not isinstance(getattr(parent, name), pack):
            setattr(parent, name, pack(getattr(parent, name)))
    return True


def _matrices(network: Any, dtype: Any) -> list[tuple[Any, str]]:
    """Return parent and name of each linear layer."""
    return [
        (parent, name)
        for parent in network.modules()
        for name, child in parent.named_children()
        if type(child).__name__ in {"Linear", "Conv1D"} and child.weight.dtype is dtype
    ]


def _can(torch: Any) -> bool:
    operators = torch.ops.mkldnn
    return torch.backends.mkldnn.is_available() and all(
        hasattr(operators, name) for name in ("_reorder_linear_weight", "_linear_pointwise")
    )


def _packing() -> type[Any]:
    import torch

    class Packed(torch.nn.Module):
        """A linear layer whose matrix only oneDNN can read."""

        def __init__(self, layer: Any) -> None:
            super().__init__()
            weight = layer.weight.detach()
            if type(layer).__name__ == "Conv1D":
                weight = weight.t().contiguous()
            self._matrix = torch.ops.mkldnn._reorder_linear_weight(weight)
            self._bias = None if layer.bias is None else layer.bias.detach()

        def forward(self, given: Any) -> Any:
            """Return `given` times the matrix, plus the bias."""
            return torch.ops.mkldnn._linear_pointwise(
                given, self._matrix, self._bias, "none", [], ""
            )

    return Packed
