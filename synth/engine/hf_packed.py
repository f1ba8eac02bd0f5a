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

    `look` gives what the network makes of some input. If that does not stay what it is, or what is
    needed is not there, the network is left as it was.
    """
    import torch

    if not _can(torch):
        return False
    before = look()
    replaced = [
        (parent, name, child)
        for parent in list(network.modules())
        for name, child in list(parent.named_children())
        if type(child).__name__ in {"Linear", "Conv1D"} and child.weight.dtype is torch.float32
    ]
    made = _packing()
    try:
        for parent, name, child in replaced:
            setattr(parent, name, made(child))
        same = bool(((look() - before).abs() < _CLOSE).all())
    except (RuntimeError, AttributeError, TypeError, NotImplementedError):
        same = False
    if not same:
        for parent, name, child in replaced:
            setattr(parent, name, child)
    return same


def _can(torch: Any) -> bool:
    operators = torch.ops.mkldnn
    return torch.backends.mkldnn.is_available() and all(
        hasattr(operators, name) for name in ("_reorder_linear_weight", "_linear_pointwise")
    )


def _packing() -> Callable[[Any], Any]:
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
