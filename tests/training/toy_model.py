"""A face model on the small head of the other tests."""

from __future__ import annotations

import numpy as np

from tests.bundles import small_head
from tests.training.toy_faces import toy_template
from training.formation.face_model import FaceModel, principal_columns

IDENTITY, EXPRESSION, REFLECTANCE = 6, 5, 3


def toy_model() -> FaceModel:
    """6 identity, 5 expression and 3 reflectance columns."""
    head = small_head(identity=IDENTITY, reflectance=REFLECTANCE)
    template = toy_template()
    actions = template["expression"].astype(np.float32)
    weights = np.ones(len(actions[0]), np.float32)
    return FaceModel(
        mean=head["mean"],
        identity=head["identity"],
        expression=principal_columns(actions, weights, EXPRESSION)[0],
        reflectance_mean=head["reflectance_mean"],
        reflectance=head["reflectance"],
        reflectance_limits=np.tile(np.array([-2.0, 2.0], np.float32), (REFLECTANCE, 1)),
        actions=actions,
        template=template,
    )
