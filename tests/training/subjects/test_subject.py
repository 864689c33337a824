from __future__ import annotations

import json

import numpy as np

from training.populations.anny import AnnyPopulation
from training.subjects.subject import Painter, draw_subject, posed_vertices, subject_camera


def test_a_subject_depends_on_seed_and_index_alone(population: AnnyPopulation) -> None:
    assert draw_subject(population, 4, 7) == draw_subject(population, 4, 7)
    assert draw_subject(population, 4, 7) != draw_subject(population, 4, 8)
    assert draw_subject(population, 5, 7) != draw_subject(population, 4, 7)


def test_its_parameters_survive_json(population: AnnyPopulation) -> None:
    record = draw_subject(population, 4, 7).to_json()
    assert json.loads(json.dumps(record))["yaw"] == record["yaw"]


def test_subjects_cover_poses_expressions_and_skin_tones(population: AnnyPopulation) -> None:
    many = [draw_subject(population, 11, index) for index in range(300)]
    yaw = np.abs([subject.yaw for subject in many])
    assert yaw.max() > 75
    assert 0.6 < (yaw < 40).mean() < 0.95
    smiling = np.mean(["mouthSmileLeft" in subject.expression for subject in many])
    assert 0.2 < smiling < 0.8
    melanin = [subject.skin.melanin for subject in many]
    assert np.percentile(melanin, 10) < 0.2
    assert np.percentile(melanin, 90) > 0.6


def test_albedo_is_skin_coloured(population: AnnyPopulation) -> None:
    painter = Painter(population.template)
    face = population.template.region("face")
    tones = []
    for index in range(40):
        albedo = painter.albedo(draw_subject(population, 12, index))
        assert albedo.min() >= 0.0
        assert albedo.max() <= 1.0
        tones.append(np.median(albedo[face], axis=0))
    red, green, blue = np.array(tones).T
    assert (red > green).all()
    assert (green > blue).all()
    # From very dark to very pale: measured human skin spans about 0.05 to 0.6 in the red.
    assert red.min() < 0.2
    assert red.max() > 0.45


def test_the_camera_sees_all_landmarks(population: AnnyPopulation) -> None:
    template = population.template
    for index in range(60):
        subject = draw_subject(population, 13, index)
        vertices = posed_vertices(template, population.vertices(subject.identity), subject.expression)
        camera = subject_camera(template, vertices, subject, 144)
        pixels = camera.project(vertices[template.landmarks68])
        assert pixels.min() > 0.0
        assert pixels.max() < 144.0
