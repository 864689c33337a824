from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

from PIL import Image  # noqa: E402

from backend.bundle import Bundle, open_bundle  # noqa: E402
from backend.failures import Failure  # noqa: E402
from backend.feedback import Feedback, Sight  # noqa: E402
from backend.pipeline import Reconstructor  # noqa: E402
from backend.pose import Pose  # noqa: E402
from tests.bundles import write_description, write_small_bundle  # noqa: E402
from tests.training.toy_model import toy_model  # noqa: E402
from training.export.feedback import export_feedback  # noqa: E402
from training.export.parametric import Card  # noqa: E402
from training.formation.decoder import skin_decoder  # noqa: E402
from training.formation.geometry import rotation_matrices  # noqa: E402
from training.recipes.feedback.config import perspective, tiny  # noqa: E402
from training.recipes.feedback.network import FeedbackNetwork  # noqa: E402
from training.recipes.feedback.pictures import shaded  # noqa: E402
from training.recipes.feedback.report.build import draw_faces  # noqa: E402
from training.recipes.feedback.run import Trained, iterate, reduced  # noqa: E402

PORTRAIT = Path(__file__).resolve().parents[3] / "docs" / "samples" / "eileen_collins.jpg"


@pytest.fixture(scope="module")
def run() -> Trained:
    """A run of which no batch was learned, but whose answers differ from picture to picture."""
    config = replace(tiny(), size=48, faces=perspective().faces)
    torch.manual_seed(0)
    network = FeedbackNetwork(config)
    torch.nn.init.normal_(network.maps[-1].weight, 0.0, 0.1)
    return Trained(config, network.eval(), reduced(toy_model(), config), 1)


@pytest.fixture(scope="module")
def bundle(run: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("feedback")
    detector = write_small_bundle(folder / "detector")
    card = Card("toy", ("make it",), "none", detector=detector)
    export_feedback(run, {"iteration_3": 1.0}, folder / "bundle", card)
    return folder / "bundle"


def test_the_backend_iterates_as_the_training_does(run: Trained, bundle: Path) -> None:
    feedback = Feedback.open(open_bundle(bundle))
    assert feedback is not None and feedback.iterations == 3
    faces = draw_faces(run, 3)
    expected = iterate(run.network, skin_decoder(run.model), run.config, faces.pictures, faces.believed)
    turns = rotation_matrices(faces.believed.rotation).numpy()
    stand = faces.believed
    places = stand.translation.double().numpy()
    for row in range(3):
        pose = Pose(turns[row].astype(float), places[row], float(stand.focal[row]), 0.0)
        shading, mask = feedback.shaded(expected[1][row].numpy(), pose)
        theirs, covered = shaded(skin_decoder(run.model), expected[1], stand, run.config)
        assert (mask != covered[row].numpy()).mean() < 0.02
        both = mask & covered[row].numpy()
        assert np.abs(shading - theirs[row].numpy())[both].mean() < 0.01
        found = feedback.iterate(Sight(faces.pictures[row].numpy(), pose))
        assert len(found) == 3
        for (ours, weights), right in zip(found, expected[1:], strict=True):
            assert ours == pytest.approx(right[row].numpy(), abs=0.05)
            assert weights.shape == (52,) and weights.min() >= 0 and weights.max() <= 1


def test_a_photo_becomes_a_head(run: Trained, bundle: Path) -> None:
    answer = Reconstructor.open(bundle).reconstruct(PORTRAIT.read_bytes())
    assert answer.method == "feedback" and "feedback" in answer.seconds
    assert answer.identity.shape == (run.config.identity,) and np.abs(answer.identity).max() > 0
    assert answer.expression is not None and answer.expression.shape == (52,)
    assert answer.landmarks68_2d is not None and answer.rotation is not None
    assert answer.reflectance is None, "what is not estimated is not told"


def test_the_face_is_shown_upright_and_filled(bundle: Path) -> None:
    feedback = Feedback.open(open_bundle(bundle))
    assert feedback is not None
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 255, (300, 400, 3), dtype=np.uint8))
    opened = open_bundle(bundle)
    marks = opened.mean[opened.landmarks68][:, :2] * (1, -1) + (200, 150)
    turn = np.radians(25)
    marks = (marks - (200, 150)) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + (200, 150)
    sight = feedback.see(picture, 1, marks)
    assert sight is not None and sight.picture.shape == (feedback.size, feedback.size)
    shading, mask = feedback.shaded(np.zeros(coefficients(opened), np.float32), sight.pose)
    assert 0.3 < mask.mean() < 0.95 and shading.max() > 0.9
    # The mean head, seen from the front, stands upright whatever the photo's roll.
    assert np.degrees(np.arccos(np.clip(np.trace(sight.pose.rotation @ np.diag([1, -1, -1.0])) / 2 - 0.5, -1, 1))) < 8
    assert feedback.see(picture, 1, np.zeros((68, 2))) is None


def coefficients(bundle: Bundle) -> int:
    """How many the bundle's feedback network speaks of."""
    return len(bundle.identity) + len(bundle.arrays["feedback_expression"])


def test_a_damaged_network_is_named(bundle: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bundle, tmp_path / "copy")
    description = json.loads((copy / "bundle.json").read_text())
    description["feedback"]["size"] = 999
    write_description(copy, description)
    with pytest.raises(Failure, match=r"feedback\.onnx"):
        Feedback.open(open_bundle(copy))
