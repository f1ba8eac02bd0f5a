"""What can be changed in one node of a syntax tree so that the program says something else.

Each change is one small mistake that people and models make. Changes that nearly always break the
program at once (`-` for the `+` of two strings), or hardly ever matter, are left out: a test suite
deserves no praise for the first and no blame for the second.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

Change = tuple[str, ast.AST]
"""The operator's name, and what stands in the node's place."""
Node = TypeVar("Node", bound=ast.AST)

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
_SWAPPED_NAMES = {
    **{"min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor"},
    **{"lower": "upper", "upper": "lower", "find": "rfind", "rfind": "find"},
    **{"startswith": "endswith", "endswith": "startswith", "ljust": "rjust", "rjust": "ljust"},
    **{"strip": "lstrip", "lstrip": "rstrip", "rstrip": "lstrip"},
    **{"append": "extend", "popleft": "pop", "appendleft": "append"},
}
_LEFT_OUT = {"abs", "reversed", "sorted", "round"}
"""Functions of one argument that may be forgotten."""
_ANY_ORDER = {"min", "max", "gcd", "lcm", "isinstance", "issubclass", "getattr", "hasattr", "print"}
"""Functions whose arguments, swapped, give the same or an error at once."""
_NUMBERS = {"len", "sum", "int", "float", "abs", "round", "max", "min", "pow"}
_EMPTY: dict[type[ast.expr], type[ast.List | ast.Dict | ast.Tuple]] = {
    ast.List: ast.List,
    ast.ListComp: ast.List,
    ast.Tuple: ast.Tuple,
    ast.Dict: ast.Dict,
    ast.DictComp: ast.Dict,
}
_SEQUENCES = (ast.JoinedStr, ast.List, ast.ListComp, ast.Tuple)


def changes_of(node: ast.AST) -> Iterator[Change]:
    """Yield all changes of a node itself; those of what it holds are its children's own.

    What is yielded shares its children with the node, which stays as it is.
    """
    for kind, changed in _CHANGES:
        if isinstance(node, kind):
            yield from changed(node)


def _with(node: Node, **fields: Any) -> Node:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _at(place: list[Any], number: int, value: Any) -> list[Any]:
    return [*place[:number], value, *place[number + 1 :]]


def _negated(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)


def _comparison(node: ast.Compare) -> Iterator[Change]:
    for number, found in enumerate(node.ops):
        for other in _COMPARED[type(found)]:
            yield "comparison", _with(node, ops=_at(node.ops, number, other()))


def _arithmetic(node: ast.BinOp) -> Iterator[Change]:
    joined = _is_sequence(node.left) or _is_sequence(node.right)
    if joined and isinstance(node.op, ast.Add):
        yield "arithmetic", node.left
        yield "arithmetic", node.right
    elif not joined and type(node.op) in _COMPUTED:
        yield "arithmetic", _with(node, op=_COMPUTED[type(node.op)]())


def _is_sequence(node: ast.expr) -> bool:
    texts = isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    return texts or isinstance(node, _SEQUENCES)


def _updated(node: ast.AugAssign) -> Iterator[Change]:
    if type(node.op) in _COMPUTED and not _is_sequence(node.value):
        yield "arithmetic", _with(node, op=_COMPUTED[type(node.op)]())
    yield "arithmetic", ast.Assign([node.target], node.value, lineno=node.lineno)


def _logic(node: ast.BoolOp) -> Iterator[Change]:
    yield "logic", _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())


def _sign(node: ast.UnaryOp) -> Iterator[Change]:
    if not isinstance(node.op, ast.UAdd):
        yield "logic" if isinstance(node.op, ast.Not) else "arithmetic", node.operand


def _value(node: ast.Constant) -> Iterator[Change]:
    for other in _other_values(node.value):
        yield "constant", ast.Constant(other)


def _other_values(value: object) -> tuple[Any, ...]:
    match value:
        case bool():
            return (not value,)
        case int():
            return (value + 1, value - 1) if value > 0 else (value + 1,)
        case float() | complex():
            return (value + 1,)
        case str():
            return ("", value + "_") if value else ("_",)
        case bytes():
            return (b"",) if value else (b"_",)
        case _:
            return ()


def _condition(node: ast.If | ast.While | ast.IfExp) -> Iterator[Change]:
    if _can_be_negated(node.test):
        yield "condition", _with(node, test=_negated(node.test))


def _filter(node: ast.comprehension) -> Iterator[Change]:
    for number, test in enumerate(node.ifs):
        if _can_be_negated(test):
            yield "condition", _with(node, ifs=_at(node.ifs, number, _negated(test)))
        yield "condition", _with(node, ifs=[*node.ifs[:number], *node.ifs[number + 1 :]])


def _can_be_negated(test: ast.expr) -> bool:
    """Return whether negating a test says what no change of its own operator says."""
    if isinstance(test, ast.Compare):
        return len(test.ops) > 1
    return not isinstance(test, ast.Constant | ast.UnaryOp)


def _bounds(node: ast.Slice) -> Iterator[Change]:
    for name in ("lower", "upper"):
        bound = getattr(node, name)
        if bound is not None:
            for moved in _off_by_one(bound):
                yield "off_by_one", _with(node, **{name: moved})


def _off_by_one(number: ast.expr) -> Iterator[ast.expr]:
    """Yield one more and one less; constants are changed as constants."""
    if isinstance(number, ast.Constant | ast.Starred) or (
        isinstance(number, ast.UnaryOp) and isinstance(number.operand, ast.Constant)
    ):
        return
    yield ast.BinOp(number, ast.Add(), ast.Constant(1))
    yield ast.BinOp(number, ast.Sub(), ast.Constant(1))


def _returned(node: ast.Return) -> Iterator[Change]:
    if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
        return
    yield "returned", _with(node, value=ast.Constant(None))
    yield from (("returned", _with(node, value=other)) for other in _other_results(node.value))


def _other_results(value: ast.expr) -> Iterator[ast.expr]:
    match value:
        case ast.Compare(ops=[_, _, *_]) | ast.BoolOp():
            yield _negated(value)
        case ast.BinOp(op=operation) if not isinstance(operation, ast.Mod):
            if not (_is_sequence(value.left) or _is_sequence(value.right)):
                yield ast.UnaryOp(ast.USub(), value)
        case ast.Call(func=ast.Name(id=name)) if name in _NUMBERS:
            yield ast.UnaryOp(ast.USub(), value)
        case ast.Dict() | ast.DictComp():
            yield ast.Dict([], [])
        case ast.List() | ast.ListComp():
            yield ast.List([], ast.Load())
        case ast.Tuple():
            yield ast.Tuple([], ast.Load())
        case _:
            return


def _statement(node: ast.stmt) -> Iterator[Change]:
    if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call):
        return
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return
    yield "statement", ast.Pass()


def _jump(node: ast.Break | ast.Continue) -> Iterator[Change]:
    yield "jump", ast.Continue() if isinstance(node, ast.Break) else ast.Break()
    yield "jump", ast.Pass()


def _call(node: ast.Call) -> Iterator[Change]:
    name = _called(node)
    if name in _SWAPPED_NAMES:
        yield "call", _with(node, func=_renamed(node.func, _SWAPPED_NAMES[name]))
    if name in _LEFT_OUT and len(node.args) == 1 and isinstance(node.func, ast.Name):
        listed = ast.Call(ast.Name("list", ast.Load()), node.args, [])
        yield "call", listed if name == "sorted" else node.args[0]
    if name in {"sorted", "sort"} and not any(one.arg == "reverse" for one in node.keywords):
        backwards = ast.keyword("reverse", ast.Constant(value=True))
        yield "call", _with(node, keywords=[*node.keywords, backwards])
    yield from _arguments(node, name)


def _arguments(node: ast.Call, name: str) -> Iterator[Change]:
    if name == "range":
        for number, bound in enumerate(node.args[:2]):
            for moved in _off_by_one(bound):
                yield "off_by_one", _with(node, args=_at(node.args, number, moved))
    if name not in _ANY_ORDER and len(node.args) > 1 and not any(map(_is_starred, node.args[:2])):
        yield "arguments", _with(node, args=[node.args[1], node.args[0], *node.args[2:]])


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _renamed(function: ast.expr, name: str) -> ast.expr:
    if isinstance(function, ast.Attribute):
        return _with(function, attr=name)
    return ast.Name(name, ast.Load())


def _is_starred(argument: ast.expr) -> bool:
    return isinstance(argument, ast.Starred)


_CHANGES: tuple[
    tuple[type[Any] | tuple[type[Any], ...], Callable[[Any], Iterator[Change]]], ...
] = (
    (ast.Compare, _comparison),
    (ast.BinOp, _arithmetic),
    (ast.AugAssign, _updated),
    (ast.BoolOp, _logic),
    (ast.UnaryOp, _sign),
    (ast.Constant, _value),
    ((ast.If, ast.While, ast.IfExp), _condition),
    (ast.comprehension, _filter),
    (ast.Slice, _bounds),
    (ast.Return, _returned),
    ((ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Raise, ast.Delete), _statement),
    ((ast.Break, ast.Continue), _jump),
    (ast.Call, _call),
)
