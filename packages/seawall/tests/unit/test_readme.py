import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_readme_runs_as_it_stands(number: int) -> None:
    exec(compile(EXAMPLES[number], f"{README.name}, example {number + 1}", "exec"), {})


def test_the_readme_has_an_example_of_each_part() -> None:
    assert len(EXAMPLES) >= 7
