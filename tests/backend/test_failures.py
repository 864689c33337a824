from __future__ import annotations

import string

import pytest

import backend
import likeness
from backend.failures import TABLE, Failure


@pytest.mark.parametrize("code", TABLE)
def test_every_failure_is_one_sentence_that_says_what_to_do(code: str) -> None:
    sentence, status = TABLE[code]
    facts = {name: "x" for _, name, _, _ in string.Formatter().parse(sentence) if name}
    failure = Failure(code, **facts)
    assert str(failure)[0].isupper() and str(failure).endswith(".") and ". " not in str(failure)
    assert ";" in str(failure)
    assert failure.code == code
    assert 400 <= failure.status == status < 600


def test_the_backend_has_the_projects_version() -> None:
    assert backend.__version__ == likeness.__version__
