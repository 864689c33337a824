"""Configurations as JSON: nested frozen dataclasses of plain values and tuples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_type_hints

T = TypeVar("T")


def from_record(kind: type[T], record: Mapping[str, Any]) -> T:
    """The dataclass `kind` that `dataclasses.asdict` made `record` of; what is not in there has its default.

    Raises `ValueError` for fields that `kind` has not.
    """
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := set(record) - known:
        raise ValueError(f"{kind.__name__} has no {', '.join(sorted(unknown))}: the run is of another version")
    return kind(**{name: _value(hints[name], value) for name, value in record.items()})


def _value(hint: Any, value: Any) -> Any:
    if isinstance(value, Mapping):
        # The dataclass itself, or one of several types that the field may have.
        kinds = (part for part in (hint, *get_args(hint)) if isinstance(part, type) and is_dataclass(part))
        return from_record(next(kinds), value)
    return tuple(_value(None, entry) for entry in value) if isinstance(value, list) else value
