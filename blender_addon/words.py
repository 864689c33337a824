"""What Likeness says, in the language of Blender's interface."""

from __future__ import annotations

from bpy.app.translations import pgettext_iface, pgettext_rpt

from .failures import SENTENCES, Failure
from .translations import BACKEND_SENTENCES, CONTEXT


def said(text: str, **facts: object) -> str:
    """A label or message in the interface's language, with `facts` for its fields."""
    translated: str = pgettext_iface(text, CONTEXT)
    return translated.format(**facts) if facts else translated


def sentence(failure: Failure) -> str:
    """What went wrong, in the interface's language; the backend's own words where it says what we do not know."""
    template = SENTENCES.get(failure.code) or BACKEND_SENTENCES.get(failure.code)
    if template is None:
        return str(failure)
    translated = pgettext_rpt(template)
    if translated == template:
        return str(failure)
    facts = {name: sentence(fact) if isinstance(fact, Failure) else fact for name, fact in failure.facts.items()}
    try:
        return str(translated.format(**facts))
    except (KeyError, IndexError):  # a backend of another version tells other facts
        return str(failure)
