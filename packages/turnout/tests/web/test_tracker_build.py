from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import turnout.web

BUILT = Path(turnout.web.__file__).parent / "static" / "script.js"
SOURCE = Path(__file__).parents[2] / "tracker"
CORE_LIMIT_BYTES = 900


def test_the_tracker_is_at_most_900_bytes_gzipped() -> None:
    assert len(gzip.compress(BUILT.read_bytes(), compresslevel=9, mtime=0)) <= CORE_LIMIT_BYTES


def test_the_tracker_keeps_nothing_in_the_browser() -> None:
    built = BUILT.read_text()
    for storage in ("cookie", "localStorage", "sessionStorage", "indexedDB"):
        assert storage not in built


@pytest.mark.npm
def test_the_committed_tracker_is_what_its_source_builds(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        if os.environ.get("REQUIRE_ALL_TESTS"):
            pytest.fail("npm is not installed")
        pytest.skip("npm is not installed")
    for name in ("package.json", "package-lock.json", "tsconfig.json", "src"):
        source = SOURCE / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / "tracker" / name)
        else:
            (tmp_path / "tracker").mkdir(exist_ok=True)
            shutil.copy(source, tmp_path / "tracker" / name)
    for command in (["npm", "ci", "--no-audit", "--no-fund"], ["npm", "run", "build"]):
        ran = subprocess.run(command, cwd=tmp_path / "tracker", capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, ran.stderr
    fresh = tmp_path / "src" / "turnout" / "web" / "static" / "script.js"
    assert fresh.read_text() == BUILT.read_text(), "run `npm run build` in packages/turnout/tracker and commit"
