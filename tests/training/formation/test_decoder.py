from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.toy_model import toy_model  # noqa: E402
from training.camera import rotation_from_angles  # noqa: E402
from training.evaluation.metrics import vertex_normals  # noqa: E402
from training.formation import illumination  # noqa: E402
from training.formation.code import Code, CodeSizes, concatenate  # noqa: E402
from training.formation.colour import decode, encode  # noqa: E402
from training.formation.decoder import FaceDecoder, face_decoder, skin_decoder  # noqa: E402
from training.formation.face_model import FaceModel  # noqa: E402
from training.formation.geometry import framed, project, rotation_angles, rotation_matrices  # noqa: E402
from training.illumination import irradiance  # noqa: E402

SIZES = CodeSizes(6, 5, 3)


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return toy_model()


def a_code(count: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Code:
    draw = torch.Generator().manual_seed(seed)
    theta = 0.3 * torch.randn(count, SIZES.total, generator=draw, dtype=dtype)
    code = SIZES.split(theta)
    light = 0.05 * code.illumination
    light[:, 0] += 0.9
    return Code(code.rotation, code.identity, code.expression, code.reflectance, light)


def test_theta_has_the_papers_350_numbers() -> None:
    assert CodeSizes().total == 350
    code = a_code(4)
    again = SIZES.split(code.vector())
    assert all(torch.equal(getattr(code, name), getattr(again, name)) for name in SIZES.groups)
    assert len(concatenate([code, code.at(slice(0, 1))])) == 5


def test_vertices_and_reflectance_are_mean_and_columns(model: FaceModel) -> None:
    decoder, code = skin_decoder(model), a_code(2, dtype=torch.float32)
    identity, expression = code.identity.numpy(), code.expression.numpy()
    expected = model.vertices(identity, expression)[:, decoder.ids.numpy()]
    np.testing.assert_allclose(decoder.heads(code), expected, atol=1e-3)
    albedo = model.reflectance_mean + np.tensordot(code.reflectance.numpy(), model.reflectance, 1)
    np.testing.assert_allclose(decoder.albedo(code), np.maximum(albedo, 0)[:, decoder.ids.numpy()], atol=1e-5)


def test_normals_are_those_of_the_whole_head_where_the_ring_is_whole(model: FaceModel) -> None:
    decoder, code = face_decoder(model), a_code(1, dtype=torch.float32)
    head = model.vertices(code.identity.numpy(), code.expression.numpy())[0]
    expected = vertex_normals(head, model.template["triangles"])[decoder.ids.numpy()]
    inside = decoder.inside.numpy()
    assert set(model.region("face")) <= set(decoder.ids.numpy()[inside])
    np.testing.assert_allclose(decoder.normals(decoder.heads(code))[0].numpy()[inside], expected[inside], atol=1e-4)


def test_rotations_agree_with_the_renders_cameras() -> None:
    yaw, pitch, roll = np.radians(25.0), 0.0, np.radians(-10.0)
    ours = rotation_matrices(torch.tensor([[pitch, yaw, roll]], dtype=torch.float64))[0].numpy()
    theirs = rotation_from_angles(np.degrees(yaw), 0.0, np.degrees(roll))
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    angles = torch.tensor([[0.3, -0.6, 0.2], [-0.5, 0.1, -0.3]], dtype=torch.float64)
    np.testing.assert_allclose(rotation_angles(rotation_matrices(angles)), angles, atol=1e-12)


def test_the_face_frames_its_own_picture() -> None:
    points = torch.randn(3, 68, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 40
    translation, focal = framed(points, torch.tensor([350.0, 800.0, 3000.0]), 240, 0.9)
    seen = project(points + translation[:, None], focal, 240)
    low, high = seen.amin(1), seen.amax(1)
    assert torch.allclose((high - low).amax(1), torch.full((3,), 216.0, dtype=torch.float64), atol=0.5)
    assert torch.allclose((high + low) / 2, torch.full((3, 2), 120.0, dtype=torch.float64), atol=0.5)


def test_shading_is_the_irradiance_that_the_renders_tell() -> None:
    rng = np.random.default_rng(0)
    radiance = rng.normal(size=(9, 3))
    radiance[0] += 6
    normals = rng.normal(size=(40, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    ours = illumination.shading(illumination.from_radiance(torch.tensor(radiance))[None], torch.tensor(normals)[None])
    np.testing.assert_allclose(ours[0], np.maximum(irradiance(radiance, normals) / np.pi, 0), atol=1e-12)
    back = illumination.to_radiance(illumination.from_radiance(torch.tensor(radiance))[None])[0]
    np.testing.assert_allclose(back, radiance, atol=1e-12)


def test_light_turns_with_its_frame() -> None:
    light = torch.randn(2, 9, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    turn = rotation_matrices(torch.tensor([[0.4, -0.7, 0.2], [0.0, 0.3, 0.0]], dtype=torch.float64))
    normals = torch.nn.functional.normalize(torch.randn(2, 30, 3, dtype=torch.float64), dim=2)
    ours = illumination.basis(normals) @ illumination.turned(light, turn)
    np.testing.assert_allclose(ours, illumination.basis(normals @ turn.transpose(1, 2)) @ light, atol=1e-10)


def test_the_transfer_curve_and_back() -> None:
    linear = torch.linspace(0, 1.5, 50, dtype=torch.float64)
    np.testing.assert_allclose(decode(encode(linear)), linear, atol=1e-9)
    assert encode(torch.tensor(0.2140411)) == pytest.approx(0.5, abs=1e-5)


def test_gradients_of_points_and_colours_are_those_of_finite_differences(model: FaceModel) -> None:
    """Tewari et al. 2017, eq. 6."""
    face = np.flatnonzero(np.isin(model.template["triangles"], model.region("nose")).all(1))
    decoder = FaceDecoder(model, face).double()
    code = a_code(1)
    translation = torch.tensor([[3.0, -5.0, 700.0]], dtype=torch.float64, requires_grad=True)

    def form(theta: torch.Tensor, translation: torch.Tensor) -> tuple[torch.Tensor, ...]:
        surface = decoder.surface(SIZES.split(theta))
        seen = decoder.see(surface, translation, torch.tensor([400.0], dtype=torch.float64), 120)
        return seen.points[..., :2], seen.landmarks, surface.colours

    theta = code.vector().requires_grad_()
    assert torch.autograd.gradcheck(form, (theta, translation), eps=1e-6, atol=1e-5, rtol=1e-4, fast_mode=True)
