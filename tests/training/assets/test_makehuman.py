from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from training.assets.makehuman import AssetFolder

# The head keeps base-mesh vertices 10..15, as template vertices 0..5.
TEMPLATE = SimpleNamespace(base_ids=np.arange(10, 16))
HEAD = np.array([[0, 0, 0], [100, 0, 0], [0, 100, 0], [0, 0, 100], [50, 50, 0], [50, 0, 50]], np.float32)

BINDING = """# a comment
basemesh hm08
tag Short
name {name}
obj_file {name}.obj
x_scale 10 11 1.0
z_scale 10 13 2.0
y_scale 10 12 1.0
z_depth 50
verts 0
10 11 12 0.25 0.25 0.5 0.0 0.0 0.1
material {name}.mhmat
11
13 13 13 1.0 0.0 0.0 0.2 0.0 0.0
tag Late
"""


def write_style(folder: Path, name: str, binding: str = BINDING, **left_out: bool) -> Path:
    place = folder / name
    place.mkdir(parents=True)
    (place / f"{name}.mhclo").write_text(binding.format(name=name))
    if not left_out.get("mesh"):
        (place / f"{name}.obj").write_text(
            "v 0 0 0\nv 1 0 0\nv 0 0 1\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\n",
        )
    (place / f"{name}.mhmat").write_text(f"name {name}\ndiffuseTexture {name}.png\n")
    if not left_out.get("texture"):
        Image.new("RGBA", (4, 4)).save(place / f"{name}.png")
    return place


def test_a_style_is_fitted_as_its_binding_says(tmp_path):
    write_style(tmp_path / "hair", "short09")
    folder = AssetFolder.open(tmp_path, TEMPLATE)
    assert not folder.skipped
    style = folder.hair["short09"]
    assert style.tags == ("Short", "Late")
    assert style.faces.tolist() == [[0, 1, 2, -1]]
    np.testing.assert_array_equal(style.uv[0, :3], [[0, 0], [1, 0], [0, 1]])
    # Offsets are scaled by the head's own measures: 100 mm along x and y and 50 along z stand for one unit.
    np.testing.assert_allclose(style.fit(HEAD), [[25, 50, 5], [100, 0, 0], [20, 0, 100]], atol=1e-4)
    np.testing.assert_allclose(style.fit(2.0 * HEAD), 2.0 * style.fit(HEAD), atol=1e-4)


def test_vertices_bound_to_what_the_head_lacks_stay_beside_their_neighbours(tmp_path):
    write_style(tmp_path / "hair", "tail", BINDING.replace("13 13 13 1.0 0.0 0.0 0.2 0.0 0.0", "14000"))
    style = AssetFolder.open(tmp_path, TEMPLATE).hair["tail"]
    assert style.loose.tolist() == [2]
    # The mesh has it one unit before vertex 0; a unit is 50 mm along z.
    np.testing.assert_allclose(style.fit(HEAD)[2], [25, 50, 55], atol=1e-4)


@pytest.mark.parametrize(
    ("binding", "left_out", "said"),
    [
        (BINDING, {"mesh": True}, "needs broken.obj"),
        (BINDING, {"texture": True}, "needs broken.png"),
        (BINDING.replace("hm08", "alpha7"), {}, "alpha7"),
        (BINDING.replace("x_scale 10 11 1.0", ""), {}, "x_scale"),
        (BINDING.replace("0.25 0.25", "0.25 much"), {}, "damaged"),
        (BINDING.replace("11\n", "", 1).replace("13 13", "12 13"), {}, "binds"),
        (BINDING.replace("10 13 2.0", "10 18000 2.0"), {}, "parts of the body"),
        (BINDING.replace("11\n13", "14000\n14000").replace("10 11 12", "14000 11 12"), {}, "does not have"),
    ],
)
def test_styles_that_cannot_be_used_are_logged_and_left_out(tmp_path, caplog, binding, left_out, said):
    write_style(tmp_path / "hair", "broken", binding, **left_out)
    write_style(tmp_path / "hair", "good")
    with caplog.at_level(logging.WARNING):
        folder = AssetFolder.open(tmp_path, TEMPLATE)
    assert list(folder.hair) == ["good"]
    (skipped,) = folder.skipped
    assert skipped.path == "hair/broken/broken.mhclo"
    assert said in skipped.reason
    assert skipped.reason in caplog.text


def test_skins_and_eyes_are_found_and_unreadable_ones_left_out(tmp_path):
    textures = tmp_path / "skins" / "textures"
    textures.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(textures / "young_diffuse.png")
    (textures / "old_diffuse.png").write_bytes(b"not a picture")
    own = tmp_path / "skins" / "own"
    own.mkdir()
    Image.new("RGB", (8, 8)).save(own / "own.png")
    (own / "own.mhmat").write_text("diffuseTexture own.png\n")
    eyes = tmp_path / "eyes" / "materials"
    eyes.mkdir(parents=True)
    Image.new("RGBA", (8, 8)).save(eyes / "blue_eye.png")
    (eyes / "blue.mhmat").write_text("diffuseTexture blue_eye.png\n")
    folder = AssetFolder.open(tmp_path, TEMPLATE)
    assert [path.name for path in folder.skins] == ["young_diffuse.png", "own.png"]
    assert [path.name for path in folder.eyes] == ["blue_eye.png"]
    assert [part.path for part in folder.skipped] == ["skins/textures/old_diffuse.png"]


def test_wrong_folders_and_templates_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="no asset folder"):
        AssetFolder.open(tmp_path / "nowhere", TEMPLATE)
    with pytest.raises(ValueError, match="MakeHuman's asset folder"):
        AssetFolder.open(tmp_path, TEMPLATE)
    write_style(tmp_path / "hair", "short09")
    with pytest.raises(ValueError, match="older version"):
        AssetFolder.open(tmp_path, SimpleNamespace(base_ids=np.zeros(0, int)))
