"""What can go wrong in the backend: one table, code -> sentence for the user -> HTTP status."""

from __future__ import annotations

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """One row of the table."""

    sentence: str
    status: int


_ANOTHER_BUNDLE = "reinstall Likeness, or choose another bundle folder"

TABLE: Final = {
    "image_empty": Entry("The image is empty (0 bytes); choose another file.", 400),
    "image_unreadable": Entry("This is not an image that can be read; choose a JPEG, PNG, WebP or TIFF file.", 415),
    "image_heic": Entry("HEIC images cannot be read; export the photo as JPEG and use that.", 415),
    "image_damaged": Entry("The image is damaged or cut off; open it elsewhere, save it again, and use that.", 422),
    "image_too_large": Entry(
        "The image has {width} x {height} pixels, more than can be decoded safely; save a copy with at most {limit} "
        "pixels a side and use that.",
        413,
    ),
    "face_none": Entry(
        "No face was found; use a photo in which one face is sharp, well lit and at least a fifth of its height.", 422
    ),
    "face_number": Entry("The image has {count} face(s) and face {face} was asked for; choose 0 to {last}.", 422),
    "object_none": Entry(
        "No object stands out from the background; use a picture of one object, whole, before a plain background.", 422
    ),
    "objects_missing": Entry(
        "There is no model for objects in {folder}; train one (docs/components.md says how) and name its folder.", 503
    ),
    "box_outside": Entry("The box lies outside the picture; draw it around the face, from the brows to the chin.", 422),
    "method_unknown": Entry("The bundle has no method {method}; choose {known}.", 422),
    "bundle_missing": Entry(f"The bundle folder {{folder}} lacks {{name}}; {_ANOTHER_BUNDLE}.", 503),
    "bundle_damaged": Entry(f"The bundle's file {{name}} is damaged ({{reason}}); {_ANOTHER_BUNDLE}.", 503),
    "bundle_schema": Entry(
        "The bundle has format {found} and this version of Likeness reads {known}; update Likeness, or choose another "
        "bundle folder.",
        503,
    ),
    "localiser_missing": Entry("The face localiser {name} is missing or damaged; reinstall Likeness.", 503),
    "detail_missing": Entry("The network for detail, {name}, is missing or damaged; reinstall Likeness.", 503),
    "runtime_missing": Entry("Python has no onnxruntime here; install `likeness[cpu]` or `likeness[gpu]`.", 503),
    "regressor_failed": Entry(
        "The network could not be run ({reason}); try again, and choose the CPU backend if this happens again.", 500
    ),
    "cancelled": Entry("The reconstruction was cancelled; start it again when you want it.", 499),
    "request_token": Entry("The request carries no valid token; restart the backend from Blender.", 401),
    "request_protocol": Entry(
        "The backend speaks protocol {ours} (Likeness {version}) and the request protocol {theirs}; install the same "
        "version of both.",
        409,
    ),
    "request_too_large": Entry("The file is larger than {limit} MB; save a smaller copy and use that.", 413),
    "request_stalled": Entry("The photo did not arrive within {seconds} s; try again.", 408),
    "request_invalid": Entry("The request's {name} is {value}; it must be {wanted}.", 400),
    "request_route": Entry("The backend has no {verb} {path}; install the same version of Likeness everywhere.", 404),
    "internal": Entry("The backend met an error of its own ({reason}); try another photo and report this one.", 500),
}


class Failure(Exception):
    """An expected failure: `code` is a key of `TABLE`, `str(failure)` the sentence, `status` the HTTP status.

    `facts` are what the sentence's fields say, for a client that has the sentence in another language.
    """

    def __init__(self, code: str, **facts: object) -> None:
        entry = TABLE[code]
        super().__init__(entry.sentence.format(**facts))
        self.code = code
        self.facts = {name: str(fact) for name, fact in facts.items()}
        self.status = entry.status
