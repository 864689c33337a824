"""Reads the arrays out of a pickle without running it.

A pickle is a program for a small stack machine, and loading one runs whatever it asks for. Here the program is only
listed (``pickletools``) and what it would build is worked out from a fixed list of harmless pieces: numbers, strings,
lists, dictionaries and numpy arrays. Anything else becomes a :class:`Thing`, its name and contents kept, nothing
called.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MARK = object()

# Scalar types of numpy by the code their dtype pickles with; objects are none of them.
_CODES = {f"{kind}{size}" for kinds, sizes in (("f", (2, 4, 8)), ("iu", (1, 2, 4, 8)), ("b", (1,))) for kind in kinds
          for size in sizes}  # fmt: skip
_ARRAY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")


class BadPickle(ValueError):
    """A file that is no pickle, is torn, or asks for something that this reader does not know."""


@dataclass(frozen=True)
class Name:
    """A class or function that the pickle refers to; never imported."""

    module: str
    name: str


@dataclass
class Thing:
    """An object of a class that is not known here: what it would be made from, and its state."""

    kind: Name
    arguments: tuple[Any, ...]
    state: Any = None


@dataclass
class _Type:
    code: str
    order: str = "<"


@dataclass
class _Empty:
    """An array whose contents come with its state."""

    value: Any = None


def read_pickle(content: bytes) -> Any:
    """What the pickle holds, arrays as numpy's. Raises :class:`BadPickle`."""
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(content):
            if opcode.name == "STOP":
                return _settled(machine.stack.pop())
            machine.step(opcode.name, argument)
    except BadPickle:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise BadPickle(f"the pickle is damaged ({error})") from error
    raise BadPickle("the pickle ends in the middle")


def array_of(value: Any) -> NDArray[Any]:
    """A numpy array out of what was read: itself, or the one that a chumpy object wraps. Raises :class:`BadPickle`."""
    if isinstance(value, Thing) and isinstance(value.state, dict) and "x" in value.state:
        return array_of(value.state["x"])
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, (list, tuple, int, float)):
        return np.asarray(value)
    raise BadPickle(f"an array was expected, not {type(value).__name__}")


class _Machine:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _PUSH:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name]())
        elif name in ("PROTO", "FRAME"):
            return
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[int(argument)] = stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self.memo[int(argument)])
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            count = int(name[-1])
            stack[-count:] = [tuple(stack[-count:])]
        elif name in _BUILDERS:
            _BUILDERS[name](self)
        elif name == "GLOBAL":
            module, _, attribute = argument.partition(" ")
            stack.append(Name(module, attribute))
        else:
            raise BadPickle(f"the pickle uses {name}, which this reader does not know")

    def marked(self) -> list[Any]:
        at = len(self.stack) - 1 - self.stack[::-1].index(_MARK)
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items

    def list(self) -> None:
        self.stack.append(self.marked())

    def tuple(self) -> None:
        self.stack.append(tuple(self.marked()))

    def dict(self) -> None:
        items = self.marked()
        self.stack.append(dict(zip(items[::2], items[1::2], strict=True)))

    def append(self) -> None:
        item = self.stack.pop()
        self.stack[-1].append(item)

    def appends(self) -> None:
        items = self.marked()
        self.stack[-1].extend(items)

    def set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.stack[-1][key] = value

    def set_items(self) -> None:
        items = self.marked()
        self.stack[-1].update(zip(items[::2], items[1::2], strict=True))

    def name(self) -> None:
        attribute, module = self.stack.pop(), self.stack.pop()
        self.stack.append(Name(module, attribute))

    def reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        self.stack.append(_made(function, arguments))

    def new_object(self) -> None:
        arguments, kind = self.stack.pop(), self.stack.pop()
        self.stack.append(Thing(kind, arguments))

    def build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, _Empty):
            target.value = _array(state)
        elif isinstance(target, _Type):
            target.order = state[1]
        elif isinstance(target, Thing):
            target.state = state
        else:
            raise BadPickle("the pickle gives a state to something that has none")


_PUSH = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "UNICODE", "BINUNICODE",
    "SHORT_BINUNICODE", "BINUNICODE8",
}  # fmt: skip
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "MARK": lambda: _MARK,
}
_BUILDERS: dict[str, Callable[[_Machine], object]] = {
    "LIST": _Machine.list,
    "TUPLE": _Machine.tuple,
    "DICT": _Machine.dict,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "STACK_GLOBAL": _Machine.name,
    "REDUCE": _Machine.reduce,
    "NEWOBJ": _Machine.new_object,
    "BUILD": _Machine.build,
    "POP": lambda machine: machine.stack.pop(),
    "POP_MARK": lambda machine: machine.marked(),
    "DUP": lambda machine: machine.stack.append(machine.stack[-1]),
}


def _made(function: Any, arguments: tuple[Any, ...]) -> Any:
    """What a call would give, for the calls that numpy's own pickles are made of; a Thing for any other."""
    if not isinstance(function, Name):
        raise BadPickle("the pickle calls something that is not a name")
    name = (function.module, function.name)
    if function.module in _ARRAY_MODULES and function.name == "_reconstruct":
        return _Empty()
    if function.module in _ARRAY_MODULES and function.name == "scalar":
        return np.frombuffer(_bytes(arguments[1]), _dtype(arguments[0]))[0]
    if name == ("numpy", "dtype"):
        return _Type(str(arguments[0]))
    if name == ("_codecs", "encode"):
        return arguments[0].encode("latin-1")
    if name in (("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor")):
        return Thing(arguments[0], arguments[1:])
    return Thing(function, arguments)


def _dtype(kind: _Type) -> np.dtype[Any]:
    if kind.code not in _CODES:
        raise BadPickle(f"the pickle holds an array of type {kind.code}, which is not of numbers")
    return np.dtype(f"{kind.order if kind.order in '<>' else '='}{kind.code}")


def _array(state: tuple[Any, ...]) -> Any:
    """A numpy array from its state: version, shape, type, whether columns come first, contents."""
    _, shape, kind, columns_first, content = state
    if isinstance(kind, _Type) and kind.code.startswith("O"):
        return list(content)
    values = np.frombuffer(_bytes(content), _dtype(kind))
    return values.reshape(shape, order="F" if columns_first else "C")


def _bytes(content: Any) -> bytes:
    # Strings of Python 2 come as text with one character a byte.
    return content.encode("latin-1") if isinstance(content, str) else bytes(content)


def _settled(value: Any) -> Any:
    """The same with arrays in the places of those that waited for their contents."""
    if isinstance(value, _Empty):
        return _settled(value.value) if isinstance(value.value, list) else value.value
    if isinstance(value, dict):
        return {key: _settled(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_settled(item) for item in value)
    if isinstance(value, Thing):
        return Thing(value.kind, value.arguments, _settled(value.state))
    return value
