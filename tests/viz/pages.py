"""Pages of the viewer in a headless Chromium: where it is, its flags, and pictures of the stage as arrays."""

from __future__ import annotations

import base64
import io
import shutil

import numpy as np
import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NEEDS = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-quic", "--enable-unsafe-swiftshader",
)  # fmt: skip
WAIT_MS = 240_000  # a busy machine paints slowly


VIEWER = "document.querySelector('[data-state]').viewer"


def picture(page, width=640, height=360, ratio=1, theme="light") -> np.ndarray:
    """The stage at a given size and ratio of device pixels, (height * ratio, width * ratio, 3) int."""
    data = page.evaluate(f"""async () => {{
        const v = {VIEWER}; Object.assign(v.options, {{ ratio: {ratio}, size: [{width}, {height}], theme: '{theme}' }}); v.theme();
        v.resize(); v.fit(true); v.recolour(); v.paintAll();
        return v.sheet().toDataURL('image/png'); }}""")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGB"))[: height * ratio].astype(int)


def different(a: np.ndarray, b: np.ndarray) -> float:
    """Share of pixels that differ visibly."""
    assert a.shape == b.shape
    return float((np.abs(a - b).max(axis=2) > 8).mean())
