"""A face as text: coefficients by name, to be copied, mailed, pasted, and kept as presets."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from .failures import Failure

VERSION = 1
_DIGITS = 5


@dataclass(frozen=True)
class Face:
    """Coefficients by the names of their keys. `model` is the sha256 of the model whose basis `identity` counts in."""

    model: str = ""
    identity: Mapping[str, float] = field(default_factory=dict)
    expression: Mapping[str, float] = field(default_factory=dict)

    def to_text(self) -> str:
        """JSON on one line; expressions that are nought are left out."""
        shown = {name: round(value, _DIGITS) for name, value in self.expression.items() if abs(value) > 10**-_DIGITS}
        identity = {name: round(value, _DIGITS) for name, value in self.identity.items()}
        return json.dumps({"likeness": VERSION, "model": self.model, "identity": identity, "expression": shown})

    @classmethod
    def from_text(cls, text: str) -> Face:
        """Read what `to_text` wrote. Raises Failure: `text_none` for another text, `text_damaged`."""
        try:
            content = json.loads(text)
        except ValueError as error:
            raise Failure("text_none") from error
        if not isinstance(content, dict) or "likeness" not in content:
            raise Failure("text_none")
        try:
            if content["likeness"] != VERSION:
                raise ValueError(f"format {content['likeness']}")
            return cls(str(content["model"]), _numbers(content["identity"]), _numbers(content["expression"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Failure("text_damaged", reason=error) from error


def _numbers(content: Mapping[str, object]) -> dict[str, float]:
    numbers = {str(name): float(str(value)) for name, value in content.items()}
    if not all(math.isfinite(value) for value in numbers.values()):
        raise ValueError("a number is not finite")
    return numbers
