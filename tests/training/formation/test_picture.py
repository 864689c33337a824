from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.formation.test_decoder import SIZES, a_code  # noqa: E402
from tests.training.toy_model import toy_model  # noqa: E402
from training.formation.decoder import FaceDecoder, skin_decoder  # noqa: E402
from training.formation.picture import draw, face_mask, framed_picture, inside_polygon  # noqa: E402
from training.formation.raster import Engine, rasterise  # noqa: E402


@pytest.fixture(scope="module")
def decoder() -> FaceDecoder:
    return skin_decoder(toy_model())


def test_a_pixel_shows_the_nearest_triangle_that_faces_it() -> None:
    # Two squares, the second one nearer and smaller; a third, nearer still, turned away.
    square = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    points = torch.cat([square * 8, square * 4 + 2, square * 8])
    depth = torch.tensor([900.0] * 4 + [500.0] * 4 + [300.0] * 4)
    triangles = torch.tensor([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7], [8, 10, 9], [8, 11, 10]])
    found = rasterise(torch.cat([points, depth[:, None]], 1)[None], triangles, 8, "torch")[0]
    expected = torch.zeros(8, 8, dtype=torch.bool)
    expected[2:6, 2:6] = True
    assert ((found >= 2) == expected).all()
    assert (found >= 0).all() and (found < 4).all()


def test_warp_and_torch_agree(decoder: FaceDecoder) -> None:
    pytest.importorskip("warp")
    surface = decoder.surface(a_code(2, dtype=torch.float32))
    translation, focal = decoder.frame(surface, torch.tensor([600.0, 1200.0]), 48, 0.8)
    points = decoder.see(surface, translation, focal, 48).points
    ours, theirs = (rasterise(points, decoder.triangles, 48, engine) for engine in ("warp", "torch"))
    # A pixel centre on an edge may go either way.
    assert (ours == theirs).float().mean() > 0.995


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("engine", ["torch", "auto"])
def test_cuda_draws_the_same_picture(decoder: FaceDecoder, engine: Engine) -> None:
    code, distance = a_code(2, dtype=torch.float32), torch.tensor([600.0, 1200.0])
    expected = framed_picture(decoder, code, distance, 48, 0.9, engine)
    there = skin_decoder(toy_model()).cuda()
    found = framed_picture(there, code.to("cuda"), distance.cuda(), 48, 0.9, engine)
    assert (found.covered.cpu() == expected.covered).float().mean() > 0.995
    assert (found.images.cpu() - expected.images).abs().mean() < 1e-3


def test_the_masked_picture_holds_the_outline_without_eyes_and_mouth(decoder: FaceDecoder) -> None:
    code = replace(a_code(1, dtype=torch.float32), rotation=torch.zeros(1, 3))
    code.expression.zero_()
    picture = framed_picture(decoder, code, torch.tensor([900.0]), 96, 0.95, "torch")
    landmarks = picture.landmarks[0]
    assert float((landmarks.amax(0) - landmarks.amin(0)).max()) == pytest.approx(0.95 * 96, abs=0.5)

    def at(points: slice) -> bool:
        column, row = landmarks[points].mean(0).floor().long().tolist()
        return bool(picture.covered[0, row, column])

    assert not at(slice(36, 42)) and not at(slice(42, 48)) and not at(slice(60, 68))
    assert at(slice(27, 36))
    assert not picture.covered[0, 0].any()
    assert (picture.images.amax(1)[~picture.covered] == 0).all()


def test_polygons_by_the_even_odd_rule() -> None:
    star = torch.tensor([[[1.0, 1.0], [7.0, 1.0], [7.0, 7.0], [4.0, 2.9], [1.0, 7.0]]])
    inside = inside_polygon(star, 8)[0]
    centres = np.stack(np.meshgrid(np.arange(8) + 0.5, np.arange(8) + 0.5), -1).reshape(-1, 2)
    from matplotlib.path import Path

    expected = Path(star[0].numpy()).contains_points(centres).reshape(8, 8)
    assert (inside.numpy() == expected).all()


def test_landmarks_outside_the_picture_make_a_mask_all_the_same() -> None:
    landmarks = torch.linspace(-30, 90, 68)[None, :, None].expand(1, 68, 2).clone()
    landmarks[:, :, 1] = landmarks[:, :, 1].flip(1) ** 2 / 60
    assert face_mask(landmarks, 48).shape == (1, 48, 48)


def test_gradients_of_a_rasterised_picture_are_those_of_finite_differences(decoder: FaceDecoder) -> None:
    precise = FaceDecoder(toy_model(), np.arange(len(toy_model().template["triangles"]))).double()
    code = a_code(1)
    focal = torch.tensor([120.0], dtype=torch.float64)
    translation = torch.tensor([[1.0, 2.0, 600.0]], dtype=torch.float64)
    weights = torch.randn(3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(3))

    def look(theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        surface = precise.surface(SIZES.split(theta))
        picture = draw(precise, surface, precise.see(surface, translation, focal, 32), 32, "torch")
        return picture.images[0], picture.covered[0]

    theta = code.vector().requires_grad_()
    image, covered = look(theta)
    # Borders between triangles have no gradient; so small a step moves none of them over a pixel's centre.
    (gradient,) = torch.autograd.grad((image * weights * covered).sum(), theta)
    direction = torch.randn(theta.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    step = 1e-6
    with torch.no_grad():
        ahead, behind = (look(theta + sign * step * direction)[0] for sign in (1, -1))
        measured = ((ahead - behind) * weights * covered).sum() / (2 * step)
    assert float(measured) == pytest.approx(float((gradient * direction).sum()), rel=2e-3)
