"""Installs Seawall into an empty environment, looks that nothing else came with it, and runs its tests there.

With pytest and hypothesis added, and nothing else: what needs more (`tests/integration`) is left out by itself. Arguments
go to pytest. `make isolation`.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS_NEED = ("pytest", "hypothesis")
THE_ENVIRONMENTS_OWN = {"pip", "setuptools"}

NOT_PASSED_ON = {"PYTHONPATH", "VIRTUAL_ENV", "REQUIRE_ALL_TESTS"}


def run(*command: str | Path) -> str:
    """What the command printed. Ends the program where it fails."""
    env = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
    done = subprocess.run([str(part) for part in command], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{' '.join(map(str, command))} failed")
    return done.stdout


def main() -> None:
    """See the module."""
    with tempfile.TemporaryDirectory(prefix="seawall-isolation-") as folder:
        python = Path(folder) / "bin" / "python"
        run(sys.executable, "-m", "venv", folder)
        pip = (python, "-m", "pip", "--disable-pip-version-check")
        run(*pip, "install", "--quiet", "./packages/seawall")
        installed = {one["name"] for one in json.loads(run(*pip, "list", "--format=json"))} - THE_ENVIRONMENTS_OWN
        if installed != {"seawall"}:
            sys.exit(f"more than seawall came with it: {sorted(installed)}")
        where = run(python, "-c", "import seawall; print(seawall.__file__)").strip()
        if not where.startswith(folder):
            sys.exit(f"seawall was imported from {where}, not from the environment")
        run(*pip, "install", "--quiet", *TESTS_NEED)
        print(run(python, "-m", "pytest", "packages/seawall", "-q", "-p", "no:cacheprovider", *sys.argv[1:]))


if __name__ == "__main__":
    main()
