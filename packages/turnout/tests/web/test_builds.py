from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import turnout.web

STATIC = Path(turnout.web.__file__).parent / "static"
SOURCES = Path(__file__).parents[2]
PAGES_LIMIT_BYTES = 60 * 1024


def test_the_scripts_of_a_page_are_at_most_60_kb_gzipped() -> None:
    assert len(gzip.compress((STATIC / "app.js").read_bytes(), compresslevel=9, mtime=0)) <= PAGES_LIMIT_BYTES


@pytest.mark.npm
@pytest.mark.parametrize(("folder", "built"), [("tracker", "script.js"), ("client", "app.js")])
def test_the_committed_script_is_what_its_source_builds(tmp_path: Path, folder: str, built: str) -> None:
    if shutil.which("npm") is None:
        if os.environ.get("REQUIRE_ALL_TESTS"):
            pytest.fail("npm is not installed")
        pytest.skip("npm is not installed")
    (tmp_path / folder).mkdir()
    for name in ("package.json", "package-lock.json", "tsconfig.json"):
        shutil.copy(SOURCES / folder / name, tmp_path / folder / name)
    shutil.copytree(SOURCES / folder / "src", tmp_path / folder / "src")
    commands = [["npm", "ci", "--no-audit", "--no-fund"], ["npm", "run", "build"]]
    if folder == "client":
        commands.append(["npm", "run", "types"])
    for command in commands:
        ran = subprocess.run(command, cwd=tmp_path / folder, capture_output=True, text=True, timeout=180)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    fresh = tmp_path / "src" / "turnout" / "web" / "static" / built
    assert fresh.read_text() == (STATIC / built).read_text(), (
        f"run `npm run build` in packages/turnout/{folder} and commit"
    )
