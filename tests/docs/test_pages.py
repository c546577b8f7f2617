"""The documentation hangs together: every page can be reached, every link leads somewhere, every example is Python."""

from __future__ import annotations

import importlib.util
import re
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

import seawall
import seawall.dist
import seawall.testing

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
OTHERS = sorted(p for p in (*REPOSITORY.glob("*.md"), *REPOSITORY.glob("packages/*/README.md")))
DRAWINGS = sorted(DOCS.rglob("images/**/*.svg"))
LINK = re.compile(r"!?\[[^]]*]\(([^)#:\s]+)(#[^)\s]*)?\)")
FENCE = re.compile(r"^ *```python\n(?P<code>.*?)^ *```", re.MULTILINE | re.DOTALL)


def named(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def without_code(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)


def hook(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_site_{name}", REPOSITORY / f"tools/docs_site/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_page_is_linked_to_from_the_index_of_its_folder() -> None:
    assert hook("navigation").unlisted(DOCS) == []


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=named)
def test_every_relative_link_of_a_page_leads_to_a_file(page: Path) -> None:
    text = without_code(page.read_text(encoding="utf-8"))
    assert [link for link, _ in LINK.findall(text) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("drawing", DRAWINGS, ids=named)
def test_every_link_in_a_drawing_leads_to_a_file(drawing: Path) -> None:
    links = re.findall(r'href="([^"#:]+)"', drawing.read_text(encoding="utf-8"))
    assert [link for link in links if not (drawing.parent / link).exists()] == []


@pytest.mark.parametrize("page", [p for p in PAGES if p.parent.name in {"how-to", "tutorial", "patterns"}], ids=named)
def test_every_example_in_python_compiles(page: Path) -> None:
    for example in FENCE.finditer(page.read_text(encoding="utf-8")):
        lines = textwrap.dedent(example["code"])
        # An excerpt may return or await, as it stands inside a function.
        compile(f"async def excerpt():\n{textwrap.indent(lines, '    ')}", named(page), "exec")


def test_every_public_name_of_seawall_is_in_the_reference_once() -> None:
    reference = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference/seawall").glob("*.md"))
    shown = re.findall(r"^::: seawall\.(\S+)$", reference, re.MULTILINE)
    public = {
        *seawall.__all__,
        *(f"testing.{name}" for name in seawall.testing.__all__),
        *(f"dist.{name}" for name in seawall.dist.__all__),
    }
    assert sorted(shown) == sorted(set(shown))
    assert public - set(shown) == set()


@pytest.mark.parametrize(
    ("text", "requested"),
    [
        ('<link rel="stylesheet" href="https://fonts.example/css">', ["https://fonts.example/css"]),
        ('<script async src="//cdn.example/a.js"></script>', ["//cdn.example/a.js"]),
        ("@font-face { src: url(https://fonts.example/f.woff2) }", ["https://fonts.example/f.woff2"]),
        ('<pre class="mermaid">', ['class="mermaid"']),
        ('<link rel="canonical" href="https://docs.example/a.html">', []),
        ('<a href="https://docs.example/">read on</a><img src="../images/a.png">', []),
    ],
)
def test_the_build_fails_for_what_a_browser_would_request_elsewhere(text: str, requested: list[str]) -> None:
    assert hook("outside").requested(text) == requested


def test_a_list_that_follows_a_paragraph_or_code_is_a_list_on_the_site_too() -> None:
    page = (
        "A paragraph:\n- one\n  goes on\n- two\n\n```\ncode\n- no list\n```\n- three\n\n- four\nand on\n- five\n\n"
        "Text:\n- six"
    )
    parted = page.replace(":\n-", ":\n\n-").replace("```\n-", "```\n\n-")
    assert hook("lists").parted(page) == parted


def test_on_the_site_a_link_out_of_the_documentation_leads_to_a_page_that_shows_the_file() -> None:
    page = "[a test](../../packages/seawall/README.md#errors) [docs](../README.md) [all](../../packages) [x](https://a.example/)"
    rewritten, linked = hook("sources").rewritten(page, "docs/patterns/lost-update.md")
    assert (
        rewritten
        == "[a test](../source/packages/seawall/README.md#errors) [docs](../README.md) all [x](https://a.example/)"
    )
    assert linked == {"packages/seawall/README.md"}


def test_on_the_site_a_link_of_a_shown_file_leads_back_into_the_documentation() -> None:
    rewritten, linked = hook("sources").rewritten("[ref](docs/reference/roles.md) [law](LICENSE)", "CONTRIBUTING.md")
    assert rewritten == "[ref](../reference/roles.md) [law](LICENSE.md)"
    assert linked == {"LICENSE"}


def test_on_the_site_the_first_mention_of_a_public_name_is_a_link() -> None:
    page = "# `Mutex`\n`Mutex` and `Mutex`, `threading`\n```python\nx = `Cache`\n```\n[`Cache`](a.md)"
    linked = page.replace("\n`Mutex` and", "\n[`Mutex`][seawall.Mutex] and")
    assert hook("names").linked(page) == linked


def test_on_the_site_a_docstring_has_its_examples_as_blocks_and_its_errors_as_links() -> None:
    pytest.importorskip("griffe")
    text = "Wait. Raises Misuse.\n\n>>> with m:\n...     1\n1\n\n    a = 1\n"
    written = hook("docstrings").markdown_of(text, {"Misuse": "seawall.Misuse"})
    assert "Raises [`Misuse`][seawall.Misuse]." in written
    assert "```pycon\n>>> with m:\n...     1\n1\n```" in written
    assert "```python\na = 1\n```" in written
