"""The template engine, with what every template may call."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, Undefined
from litestar.plugins.jinja import JinjaTemplateEngine
from markupsafe import Markup

from seawall.console.reading import duration
from turnout.web.assets import asset
from turnout.web.words import action_words, day, moment

TEMPLATES = Path(__file__).parent / "templates"


def make_environment(undefined: type[Undefined] = Undefined) -> Environment:
    """Escapes everything. `undefined` says what a name is that no handler gave: empty, or in tests an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=undefined,
        auto_reload=False,  # templates do not change while a server runs; asking the disk each time cost a tenth of a page
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset
    environment.filters |= {
        "moment": moment,
        "day": day,
        "action_words": action_words,
        "duration": duration,
        "filesize": filesize,
        "single_quoted": single_quoted,
    }
    return environment


def filesize(size_bytes: int) -> str:
    """As people read it: `3 kB`, `1.2 MB`."""
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1000))} kB"
    return f"{size_bytes / 1_000_000:,.1f} MB"


def single_quoted(text: str) -> Markup:
    """JSON as the value of an attribute in single quotes: in double ones every quote of its own takes five characters."""
    return Markup(text.replace("&", "&amp;").replace("'", "&#39;").replace("<", "&lt;"))


def make_engine() -> JinjaTemplateEngine:
    """The environment as Litestar takes it."""
    return JinjaTemplateEngine(engine_instance=make_environment())
