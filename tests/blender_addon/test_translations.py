"""Everything that Likeness says has a German translation, with the same fields in it."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import arkit, confidence, registration  # noqa: E402  needs bpy
from blender_addon.failures import SENTENCES  # noqa: E402
from blender_addon.operators import edit, exporting  # noqa: E402
from blender_addon.translations import BACKEND_SENTENCES, LANGUAGES  # noqa: E402

ADDON = Path(__file__).resolve().parents[2] / "blender_addon"
SAYING = {"said", "Progress", "told", "poll_message_set"}
# Blender's own words, or names that are the same in every language.
OWN = {"Likeness", "Subdivision", "...", ""}


def literals(path: Path) -> Iterator[str]:
    """What calls in a file say: the first argument of some functions, and `text=` where it is to be translated."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "bl_label":
            yield ast.literal_eval(node.value)
        if not isinstance(node, ast.Call):
            continue
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        named = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        values = node.args[:1] if named in SAYING else []
        if "translate" not in keywords:
            values += [keywords[name] for name in ("text", "title") if name in keywords]
        if named.endswith("Property") and "HIDDEN" not in ast.dump(keywords.get("options", ast.Constant(None))):
            values += [keywords[name] for name in ("name", "description") if name in keywords]
        for value in values:
            yield from (v.value for v in _said(value) if isinstance(v, ast.Constant) and isinstance(v.value, str))


def _said(value: ast.expr) -> tuple[ast.expr, ...]:
    return (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,)


def of_sliders() -> Iterator[str]:
    """Names and groups of the named sliders that the training can find."""
    for name in ("measurements", "sliders"):
        tree = ast.parse((ADDON.parent / "training" / "export" / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Measurement":
                yield from (word.value for word in node.args[:2] if isinstance(word, ast.Constant))
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_PHENOTYPES":
                yield from (row[0] for row in ast.literal_eval(node.value))


def of_classes() -> Iterator[str]:
    for cls in registration.CLASSES:
        if issubclass(cls, bpy.types.Operator):
            yield cls.__doc__ or ""


def all_texts() -> set[str]:
    texts = set(of_classes()) | set(SENTENCES.values()) | set(BACKEND_SENTENCES.values())
    for path in ADDON.rglob("*.py"):
        if "presets" not in path.relative_to(ADDON).parts[:1]:
            texts |= set(literals(path))
    texts |= {title for title, _ in arkit.GROUPS} | {text for _, text in confidence.WORDS}
    for items in (edit.TARGETS, edit.PARTS, exporting.FORMATS):
        texts |= {text for _, name, description in items for text in (name, description)}
    lights = {"None", "Leave the scene's light as it is", "From Photo", "Studio"}
    return (texts | lights | set(of_sliders())) - OWN


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_complete(language: str) -> None:
    missing = sorted(text for text in all_texts() if text not in LANGUAGES[language])
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("language", LANGUAGES)
def test_fields_are_the_same(language: str) -> None:
    for text, translated in LANGUAGES[language].items():
        assert fields(text) == fields(translated), text
        assert text.endswith(".") == translated.endswith("."), text


def test_every_operator_has_a_tooltip_and_every_panel_a_title() -> None:
    for cls in registration.CLASSES:
        if issubclass(cls, bpy.types.Operator):
            assert cls.__doc__ and not cls.__doc__.endswith("."), f"{cls.__name__}: Blender adds the full stop"
        if issubclass(cls, bpy.types.Panel):
            assert cls.bl_label


def test_every_property_has_a_tooltip() -> None:
    blender_s_own = {"filepath", "filter_glob", "check_existing", "directory", "files", "name", "remove_name"}
    registration.register()
    try:
        for cls in registration.CLASSES:
            if not issubclass(cls, bpy.types.Operator):
                continue
            module, name = cls.bl_idname.split(".")
            properties = getattr(getattr(bpy.ops, module), name).get_rna_type().properties
            for found in properties:
                if found.identifier in {"rna_type", "remove_active", *blender_s_own} or found.is_hidden:
                    continue
                assert found.description, f"{cls.bl_idname}: {found.identifier}"
    finally:
        registration.unregister()
