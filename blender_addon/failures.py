"""What can go wrong on Blender's side, each as one sentence that says what to do.

Failures inside the backend have their own table there and arrive as sentences; `Failure.from_answer` carries them.
"""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES = {
    "photo_none": "Choose a photo first: open one in the panel's image field.",
    "photo_missing": "The photo {name} is not on disk any more; open it again or choose another.",
    "photo_unreadable": "The photo {name} cannot be read ({reason}); check the file's permissions or choose another.",
    "photo_empty": "The file {name} is empty; choose another photo.",
    "photo_too_large": "The photo {name} is larger than {limit}; save a smaller copy and use that.",
    "photo_no_pixels": "The image {name} holds no pixels; save it to a file, or choose another image.",
    "bundle_missing": "The model bundle lacks {name} in {folder}; reinstall Likeness, or choose another bundle folder "
    "in its preferences.",
    "bundle_damaged": "The model bundle's file {name} is damaged; reinstall Likeness, or choose another bundle folder "
    "in its preferences.",
    "bundle_schema": "The model bundle has format {found} and this version of Likeness reads {known}; update Likeness, "
    "or choose another bundle folder in its preferences.",
    "bundle_differs": "The backend uses another model bundle than Blender; choose one bundle folder in Likeness' "
    "preferences and try again.",
    "backend_python": "The backend's Python {name} cannot be started ({reason}); correct it in Likeness' preferences.",
    "backend_start": "The backend did not start ({reason}); try again, or reinstall Likeness.",
    "backend_lost": "The backend stopped while it worked on the photo; try again.",
    "backend_slow": "The backend gave no answer within {seconds} s; try again with a smaller photo.",
    "backend_answer": "The backend's answer could not be understood ({reason}); reinstall Likeness so that its parts "
    "match.",
    "protocol": "Likeness speaks protocol {ours} and the backend protocol {theirs}; install the same version of both.",
    "cancelled": "The reconstruction was cancelled.",
    "photos_none": "The folder {name} holds no photos; choose one with JPEG, PNG, WebP or TIFF files.",
    "photos_all_failed": "None of the {count} photos became a head; the first: {reason}",
    "clipboard_none": "The clipboard holds no picture; copy a photo in another program first.",
    "text_none": "The clipboard holds no face; copy one with Copy Face first.",
    "text_damaged": "The clipboard's text is not a whole face ({reason}); copy it again with Copy Face.",
    "text_differs": "The face in the clipboard was made with the model {theirs} and this head with {ours}; only its "
    "expression can be pasted.",
    "head_none": "Select a head made by Likeness first.",
    "targets_none": "This head's model does not say which MakeHuman vertices it has; make the head again with the "
    "model that comes with Likeness.",
    "export_modifiers": "The modifier {name} gives the keys different numbers of vertices; switch it off in the "
    "viewport and export again.",
    "usd_missing": "This Blender was built without USD; choose glTF or FBX.",
    "busy": "A reconstruction is already running; wait for it or cancel it.",
    "mode": "Leave {mode} first: heads are added in Object Mode.",
    "output_ending": "Heads are written to files that end in {known}, not {found}.",
    "output_failed": "The head could not be written to {name} ({reason}); choose a folder that can be written to.",
}


class Failure(Exception):
    """An expected failure; `str(failure)` is the sentence for the user, in English.

    `code` is a key of `SENTENCES`, or a code of the backend's own table; `facts` are what the sentence's fields say.
    """

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(SENTENCES[code].format(**facts))
        self.code = code
        self.facts: dict[str, object] = facts

    @classmethod
    def from_answer(cls, code: str, sentence: str, facts: Mapping[str, object] | None = None) -> Failure:
        """The failure that the backend's answer names."""
        failure = cls.__new__(cls)
        Exception.__init__(failure, sentence)
        failure.code = code
        failure.facts = dict(facts or {})
        return failure
