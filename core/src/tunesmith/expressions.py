"""Conditions and constraints as text.

Parsed into a small language of comparisons, never evaluated as Python.

Numbers, strings, lists, true/false/null, parameter names (dots allowed), `+ - * / // %`,
comparisons, `in`,
`and`, `or`, `not`.
"""

import ast
import json
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache

from tunesmith.errors import SpaceError

Value = str | int | float | bool | None
Values = Mapping[str, Value]
_Node = Callable[[Values], object]

_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[object, object], bool]] = {
    ast.Eq: lambda a, b: _same(a, b),
    ast.NotEq: lambda a, b: not _same(a, b),
    ast.Lt: lambda a, b: _number(a) < _number(b),
    ast.LtE: lambda a, b: _number(a) <= _number(b),
    ast.Gt: lambda a, b: _number(a) > _number(b),
    ast.GtE: lambda a, b: _number(a) >= _number(b),
    ast.In: lambda a, b: _within(a, b),
    ast.NotIn: lambda a, b: not _within(a, b),
}
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}


class Expression:
    """A formula over parameters; call it with their values.

    `text` is canonical: two formulas that differ in spaces or quotes have the same. `names` are
    the parameters used. `sides` give both numbers of a formula that is one comparison of size
    between arithmetic, and raise ArithmeticError where it has none; there are none of another.
    """

    def __init__(self, source: str) -> None:
        try:
            tree = ast.parse(source.strip(), mode="eval").body
            names: set[str] = set()
            self._evaluate = _compile(tree, source, names)
            self.sides = tuple(_side(node, source) for node in _compared(tree))
            self.text = ast.unparse(tree)
        except SpaceError:
            raise
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = error.args[0] if error.args else "it is nested too deeply"
            raise SpaceError(f"cannot read the formula '{source}': {reason}") from None
        self.names = frozenset(names)

    def __reduce__(self) -> tuple[type["Expression"], tuple[str]]:
        return Expression, (self.text,)

    def __call__(self, values: Values) -> bool:
        """Whether the formula holds; a division by zero or an overflow does not.

        Raises SpaceError where values do not compare.
        """
        try:
            return bool(self._evaluate(values))
        except (ZeroDivisionError, OverflowError):
            return False
        except TypeError as error:
            shown = {name: values.get(name) for name in sorted(self.names)}
            raise SpaceError(
                f"the formula '{self.text}' does not work on {shown}: {error}"
            ) from None


@lru_cache(maxsize=1024)
def parse(source: str) -> Expression:
    """The expression that `source` spells. Raises SpaceError where it is not in the language."""
    return Expression(source)


def from_clause(clause: Mapping[str, Value | list[Value]]) -> str:
    """The formula that a clause like `{booster: dart, depth: [1, 2]}` is short for.

    Every parameter in it has the value, or one of the values.
    """
    parts = [
        f"{name} {'in' if isinstance(wanted, list | tuple) else '=='} {_literal(wanted)}"
        for name, wanted in sorted(clause.items())
    ]
    return " and ".join(parts)


def _literal(value: object) -> str:
    return repr(list(value)) if isinstance(value, list | tuple) else repr(value)


def _same(a: object, b: object) -> bool:
    # True == 1 in Python, but they are two choices
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _within(a: object, b: object) -> bool:
    if isinstance(b, list):
        return any(_same(a, item) for item in b)
    return a in b  # type: ignore[operator]


def _number(value: object) -> float:
    if isinstance(value, int | float):
        return value
    raise TypeError(f"{json.dumps(value)} is not a number")


def _compared(tree: ast.expr) -> list[ast.expr]:
    """Both sides of one comparison of size between arithmetic; nothing of another formula."""
    match tree:
        case ast.Compare(left, [ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE()], [right]):
            return [left, right] if _is_arithmetic(left) and _is_arithmetic(right) else []
    return []


def _is_arithmetic(node: ast.expr) -> bool:
    match node:
        case ast.BinOp(left=left, right=right):
            return _is_arithmetic(left) and _is_arithmetic(right)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _is_arithmetic(operand)
        case ast.Constant(value=value):
            return type(value) in (int, float)
    return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) not in _WORDS


def _side(node: ast.expr, source: str) -> Callable[[Values], float]:
    value = _compile(node, source, set())
    return lambda values: _number(value(values))


def _compile(node: ast.expr, source: str, names: set[str]) -> _Node:
    """The node as a function of the values; adds the parameters that it uses to `names`."""
    match node:
        case ast.Constant(value=str() | int() | float() | bool() | None as constant):
            return lambda _: constant
        case ast.Name() | ast.Attribute():
            return _compile_name(node, source, names)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            items = [_compile(element, source, names) for element in elements]
            return lambda values: [item(values) for item in items]
        case ast.BoolOp(op=op, values=operands):
            parts = [_compile(operand, source, names) for operand in operands]
            together = all if isinstance(op, ast.And) else any
            return lambda values: together(part(values) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _compile(operand, source, names)
            return lambda values: not inner(values)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _compile(operand, source, names)
            return lambda values: -_number(inner(values))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            apply = _ARITHMETIC[type(op)]
            a, b = _compile(left, source, names), _compile(right, source, names)
            return lambda values: apply(_number(a(values)), _number(b(values)))
        case ast.Compare():
            return _compile_comparison(node, source, names)
    raise SpaceError(
        f"the formula '{source}' uses '{ast.unparse(node)}'; only comparisons, arithmetic, "
        "and/or/not and parameter names are understood"
    )


def _compile_name(node: ast.Name | ast.Attribute, source: str, names: set[str]) -> _Node:
    name = ast.unparse(node)
    if not all(part.isidentifier() for part in name.split(".")):
        raise SpaceError(f"the formula '{source}' uses '{name}', which is not a parameter name")
    if name in _WORDS:
        constant = _WORDS[name]
        return lambda _: constant
    names.add(name)
    return lambda values: values[name]


def _compile_comparison(node: ast.Compare, source: str, names: set[str]) -> _Node:
    first = _compile(node.left, source, names)
    steps = []
    for op, operand in zip(node.ops, node.comparators, strict=True):
        if type(op) not in _COMPARISONS:
            raise SpaceError(f"the formula '{source}' uses 'is'; compare with == instead")
        steps.append((_COMPARISONS[type(op)], _compile(operand, source, names)))

    def holds(values: Values) -> bool:
        left = first(values)
        for compare, right_of in steps:
            right = right_of(values)
            if not compare(left, right):
                return False
            left = right
        return True

    return holds
