"""The backend's failures in its own words, to be said in other languages; a contract test compares the two tables."""

from __future__ import annotations

BACKEND_SENTENCES = {
    "image_empty": "The image is empty (0 bytes); choose another file.",
    "image_unreadable": "This is not an image that can be read; choose a JPEG, PNG, WebP or TIFF file.",
    "image_heic": "HEIC images cannot be read; export the photo as JPEG and use that.",
    "image_damaged": "The image is damaged or cut off; open it elsewhere, save it again, and use that.",
    "image_too_large": "The image has {width} x {height} pixels, more than can be decoded safely; save a copy with "
    "at most {limit} pixels a side and use that.",
    "face_none": "No face was found; use a photo in which one face is sharp, well lit and at least a fifth of its "
    "height.",
    "face_number": "The image has {count} face(s) and face {face} was asked for; choose 0 to {last}.",
    "object_none": "No object stands out from the background; use a picture of one object, whole, before a plain "
    "background.",
    "objects_missing": "There is no model for objects in {folder}; train one (docs/components.md says how) and name "
    "its folder.",
    "box_outside": "The box lies outside the picture; draw it around the face, from the brows to the chin.",
    "method_unknown": "The bundle has no method {method}; choose {known}.",
    "bundle_missing": "The bundle folder {folder} lacks {name}; reinstall Likeness, or choose another bundle folder.",
    "bundle_damaged": "The bundle's file {name} is damaged ({reason}); reinstall Likeness, or choose another bundle "
    "folder.",
    "bundle_schema": "The bundle has format {found} and this version of Likeness reads {known}; update Likeness, or "
    "choose another bundle folder.",
    "localiser_missing": "The face localiser {name} is missing or damaged; reinstall Likeness.",
    "detail_missing": "The network for detail, {name}, is missing or damaged; reinstall Likeness.",
    "runtime_missing": "Python has no onnxruntime here; install `likeness[cpu]` or `likeness[gpu]`.",
    "regressor_failed": "The network could not be run ({reason}); try again, and choose the CPU backend if this "
    "happens again.",
    "cancelled": "The reconstruction was cancelled; start it again when you want it.",
    "request_token": "The request carries no valid token; restart the backend from Blender.",
    "request_protocol": "The backend speaks protocol {ours} (Likeness {version}) and the request protocol {theirs}; "
    "install the same version of both.",
    "request_too_large": "The file is larger than {limit} MB; save a smaller copy and use that.",
    "request_stalled": "The photo did not arrive within {seconds} s; try again.",
    "request_invalid": "The request's {name} is {value}; it must be {wanted}.",
    "request_route": "The backend has no {verb} {path}; install the same version of Likeness everywhere.",
    "internal": "The backend met an error of its own ({reason}); try another photo and report this one.",
}
