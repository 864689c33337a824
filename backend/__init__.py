"""The local server and the inference it runs: one photo in, the coefficients of a head out.

`backend.pipeline` reads as the way a photo takes; `python -m backend` serves it on 127.0.0.1.
"""

__version__ = "0.1.0"

PROTOCOL = 1
