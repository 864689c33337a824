from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from likeness import cli
from likeness.reconstruct import UsageError, plan

ROOT = Path(__file__).resolve().parents[2]
PHOTO = ROOT / "docs" / "samples" / "eileen_collins.jpg"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from tests.bundles import write_small_bundle

    return write_small_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def refining(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that says how far its network may be wrong."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from tests.bundles import write_small_bundle

    return write_small_bundle(tmp_path_factory.mktemp("refining"), expression=True, refine=True)


@pytest.fixture(scope="module")
def darker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another photo of the same person."""
    image = pytest.importorskip("PIL.Image")
    path = tmp_path_factory.mktemp("photos") / "darker.png"
    image.open(PHOTO).convert("RGB").point(lambda value: value * 0.6).save(path)
    return Path(path)


def reconstruct(bundle: Path, *arguments: object) -> int:
    return cli.main(["reconstruct", *map(str, arguments), "--bundle", str(bundle)])


@pytest.mark.parametrize("name", ["a.blend", "a.glb", "a.FBX", "sub/a.obj", "a.npz"])
def test_the_ending_chooses_the_format(name: str) -> None:
    (job,) = plan([PHOTO], Path(name))
    assert job.output == Path(name)
    assert job.format == name[-5:].lower().rpartition(".")[2]
    assert job.needs_blender == (job.format != "npz")


def test_a_folder_gets_one_file_a_photo() -> None:
    jobs = plan([Path("x/a.jpg"), Path("x/b.png")], Path("heads"), "glb")
    assert [job.output for job in jobs] == [Path("heads/a.glb"), Path("heads/b.glb")]


def test_photos_of_one_person_are_one_job() -> None:
    photos = [Path("x/a.jpg"), Path("y/a.jpg")]
    (job,) = plan(photos, Path("head.glb"), preview=Path("p.png"), same_person=True)
    assert (job.image, job.output, job.preview) == (photos[0], Path("head.glb"), Path("p.png"))
    with pytest.raises(UsageError, match="without --format"):
        plan(photos, Path("heads"), "glb", same_person=True)
    with pytest.raises(UsageError, match="must end in"):
        plan(photos, Path("heads"), same_person=True)


def test_wrong_wishes_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    photos = [Path("a.jpg"), Path("b.jpg")]
    for images, output, format_, preview, wanted in [
        (photos, Path("a.blend"), None, None, "--format"),
        ([PHOTO], Path("a.stl"), None, None, ".blend .glb .fbx .obj .npz"),
        ([PHOTO], Path("heads"), None, None, "--format"),
        ([PHOTO], file, "glb", None, "must be a folder"),
        ([Path("x/a.jpg"), Path("y/a.jpg")], Path("heads"), "glb", None, "rename one"),
        (photos, Path("heads"), "glb", Path("p.png"), "one photo"),
        ([PHOTO], Path("a.glb"), None, Path("p.jpg"), ".png"),
    ]:
        with pytest.raises(UsageError, match=wanted):
            plan(images, output, format_, preview)


def test_wrong_usage_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["reconstruct", str(PHOTO), "--output", str(tmp_path / "head.stl")]) == 2
    assert "must end in one of" in capsys.readouterr().err


def test_one_photo_becomes_arrays(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "new" / "head.npz"
    assert reconstruct(bundle, PHOTO, "--output", output) == 0
    with np.load(output, allow_pickle=False) as arrays, np.load(bundle / "head.npz", allow_pickle=False) as head:
        neutral = head["mean"] + np.tensordot(arrays["identity"], head["identity"], axes=1)
        np.testing.assert_allclose(arrays["neutral"], neutral, atol=1e-4)
        assert arrays["landmarks68_2d"].shape == (68, 2)
        assert arrays["rotation"].shape == (3, 3)
        assert "expression" not in arrays
    captured = capsys.readouterr()
    assert str(output) in captured.out
    assert captured.err == ""
    assert [path.name for path in output.parent.iterdir()] == ["head.npz"]


def test_relief_is_in_the_arrays_where_it_is_asked_for(bundle: Path, tmp_path: Path) -> None:
    output = tmp_path / "head.npz"
    assert reconstruct(bundle, PHOTO, "--output", output, "--detail", "on") == 0
    with np.load(output, allow_pickle=False) as arrays:
        assert arrays["displacement"].shape == (1024, 1024) and arrays["normal_map"].shape == (1024, 1024, 3)
    assert reconstruct(bundle, PHOTO, "--output", output) == 0
    with np.load(output, allow_pickle=False) as arrays:
        assert "displacement" not in arrays and "normal_map" not in arrays


def test_a_bad_photo_is_named_and_the_others_are_done(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, text, missing = tmp_path / "empty.jpg", tmp_path / "text.jpg", tmp_path / "missing.jpg"
    empty.touch()
    text.write_text("no photo")
    heads = tmp_path / "heads"
    status = reconstruct(bundle, empty, missing, text, PHOTO, tmp_path, "--output", heads, "--format", "npz", "--json")
    assert status == 1
    captured = capsys.readouterr()
    errors = captured.err.splitlines()
    assert [line.partition(": ")[0] for line in errors] == [str(empty), str(missing), str(text), str(tmp_path)]
    answers = [json.loads(line) for line in captured.out.splitlines()]
    assert [answer.get("error", {}).get("code") for answer in answers] == [
        "image_empty", "file", "image_unreadable", None, "file"
    ]  # fmt: skip
    assert answers[3]["output"] == str(heads / "eileen_collins.npz")
    assert len(answers[3]["identity"]) == 6
    assert [path.name for path in heads.iterdir()] == ["eileen_collins.npz"]


def test_refinement_can_be_turned_off(refining: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stages = []
    for chosen in ("on", "off"):
        output = tmp_path / f"{chosen}.npz"
        assert reconstruct(refining, PHOTO, "--output", output, "--refine", chosen, "--json") == 0
        answer = json.loads(capsys.readouterr().out)
        stages.append({"pose", "refine"} & set(answer["seconds"]))
        with np.load(output, allow_pickle=False) as arrays:
            assert arrays["sigma"].shape == (len(arrays["neutral"]),)
            assert np.median(arrays["sigma"]) == pytest.approx(answer["sigma_mm_median"], abs=1e-3)
            assert arrays["personalisation"] == pytest.approx(answer["personalisation"])
    assert stages == [{"refine"}, {"pose"}]


@pytest.mark.parametrize("first", ["photo", "empty"])
def test_photos_of_one_person_become_one_head(
    refining: Path, darker: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], first: str
) -> None:
    empty, missing, output = tmp_path / "empty.jpg", tmp_path / "missing.jpg", tmp_path / "heads" / "head.npz"
    empty.touch()
    images = [PHOTO, darker] if first == "photo" else [empty, missing, PHOTO, darker]
    status = reconstruct(refining, *images, "--same-person", "--output", output, "--json")
    assert status == (0 if first == "photo" else 1)
    captured = capsys.readouterr()
    answers = [json.loads(line) for line in captured.out.splitlines()]
    assert [answer["image"] for answer in answers] == list(map(str, images))
    codes = [answer.get("error", {}).get("code") for answer in answers]
    assert codes == [None, None] if first == "photo" else ["image_empty", "file", None, None]
    assert [line.partition(": ")[0] for line in captured.err.splitlines()] == [str(image) for image in images[:-2]]
    shown, other = answers[-2:]
    assert shown["identity"] == other["identity"] and shown["expression"] != other["expression"]
    assert shown["output"] == other["output"] == str(output)
    assert [path.name for path in output.parent.iterdir()] == ["head.npz"]
    with np.load(output, allow_pickle=False) as arrays:
        np.testing.assert_allclose(arrays["identity"], shown["identity"], rtol=1e-6)
        np.testing.assert_allclose(arrays["expression"], shown["expression"], rtol=1e-6)
        np.testing.assert_allclose(arrays["landmarks68_2d"], shown["landmarks68_2d"], rtol=1e-6)


def test_where_no_photo_of_the_person_can_be_used_each_is_named(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, text, missing = tmp_path / "empty.jpg", tmp_path / "text.jpg", tmp_path / "missing.jpg"
    empty.touch()
    text.write_text("no photo")
    for images in ([empty, missing, text], [missing]):
        assert reconstruct(bundle, *images, "--same-person", "--output", tmp_path / "head.npz") == 1
        captured = capsys.readouterr()
        assert [line.partition(": ")[0] for line in captured.err.splitlines()] == list(map(str, images))
        assert captured.out == ""
        assert not (tmp_path / "head.npz").exists()


def test_things_are_no_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--same-person", "--method", "components-objects", "--output", str(tmp_path / "head.npz")]
    assert cli.main(["reconstruct", str(PHOTO), *words]) == 2
    assert "--same-person is for faces" in capsys.readouterr().err


def test_a_failure_keeps_the_old_file(bundle: Path, tmp_path: Path) -> None:
    output = tmp_path / "head.npz"
    output.write_text("old")
    assert reconstruct(bundle, tmp_path / "missing.jpg", "--output", output) == 1
    assert output.read_text() == "old"


def test_a_missing_bundle_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime")
    assert reconstruct(tmp_path / "nowhere", PHOTO, "--output", tmp_path / "head.npz") == 1
    message = capsys.readouterr().err
    assert message.startswith("likeness: ")
    assert message.count("\n") == 1


def test_missing_blender_is_said_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "bpy", None)
    assert reconstruct(tmp_path / "nowhere", PHOTO, "--output", tmp_path / "head.blend") == 1
    assert "likeness[blender]" in capsys.readouterr().err


def run_as_command(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "likeness", "reconstruct", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["blend", "glb", "fbx", "obj"])
def test_blender_writes_the_file_and_standard_output_stays_clean(bundle: Path, tmp_path: Path, ending: str) -> None:
    pytest.importorskip("bpy")
    output = tmp_path / f"head.{ending}"
    done = run_as_command(PHOTO, "--output", output, "--bundle", bundle, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["output"] == str(output)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == (["head.mtl", "head.obj"] if ending == "obj" else [output.name])
    assert output.stat().st_size > 10_000


@pytest.mark.slow
def test_a_preview_comes_with_any_format(bundle: Path, tmp_path: Path) -> None:
    pytest.importorskip("bpy")
    output, preview = tmp_path / "head.npz", tmp_path / "pictures" / "preview.png"
    done = run_as_command(PHOTO, "--output", output, "--preview", preview, "--bundle", bundle)
    assert done.returncode == 0, done.stderr
    assert preview.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["head.npz", "pictures"]
