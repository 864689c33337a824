"""Copies the window test's screenshots into docs/images, as JPEG of at most 150 kB.

python scripts/keep_screenshots.py [FOLDER]      default: build/window/pictures, where the test leaves them
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
KEPT = ("start", "made", "edited", "choose_face", "view_photo", "german", "panel")
WIDTH = 1100
LARGEST_BYTES = 150_000


def main() -> int:
    """Copy; 1 where a screenshot is missing."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "window" / "pictures"
    missing = [name for name in KEPT if not (folder / f"{name}.png").is_file()]
    for name in sorted(set(KEPT) - set(missing)):
        content = jpeg(folder / f"{name}.png")
        (ROOT / "docs" / "images" / f"{name}.jpg").write_bytes(content)
        print(f"docs/images/{name}.jpg: {len(content) / 1000:.0f} kB")
    if missing:
        print(f"{folder} lacks {', '.join(missing)}; run the window test again", file=sys.stderr)
    return 1 if missing else 0


def jpeg(path: Path) -> bytes:
    """The picture, smaller, in the best quality that is small enough."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    for quality in range(90, 20, -5):
        file = BytesIO()
        picture.save(file, "JPEG", quality=quality, optimize=True, subsampling=0)
        if file.tell() <= LARGEST_BYTES:
            break
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())
