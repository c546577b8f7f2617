"""Pages' dearest parts as text, drawn once for all who see the same numbers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cache, lru_cache

from jinja2 import Environment
from markupsafe import Markup

from turnout.model.site import Site
from turnout.web.page.drawing import Answers, Bar, Drawing
from turnout.web.templating import make_environment

KEPT = 100
"""Some 50 KB each."""
KEPT_SWITCHERS = 50
"""Some 100 bytes a site each."""


class Fragment:
    """The controls and the numbers of one page. `kept` holds the answers whose identity is in the key."""

    __slots__ = ("bar", "controls", "is_empty", "kept", "main")

    def __init__(
        self, drawing: Drawing, context: dict[str, object], kept: object, environment: Environment | None = None
    ) -> None:
        environment = environment or _environment()
        context = {**context, "page": drawing, "bar": drawing.bar}
        self.bar: Bar = drawing.bar
        self.is_empty = drawing.chart.is_empty
        self.controls = Markup(environment.get_template("_controls.html").render(context))
        self.main = Markup(environment.get_template("_numbers.html").render(context))
        self.kept = kept


class Fragments:
    """The latest fragments. For one event loop."""

    def __init__(self) -> None:
        self._fragments: OrderedDict[Hashable, Fragment] = OrderedDict()
        self._latest: OrderedDict[Hashable, tuple[Hashable, Fragment]] = OrderedDict()

    def last(self, page: Hashable) -> Fragment | None:
        """The last whole one of `page`, of whatever data."""
        return self._latest.get(page, (None, None))[1]

    def latest(self, page: Hashable, asked: Hashable) -> Fragment | None:
        """The last one of `page`, where it answers what is `asked`: then nothing needs to be asked again."""
        known, fragment = self._latest.get(page, (None, None))
        return fragment if known == asked else None

    def keep(self, page: Hashable, asked: Hashable, fragment: Fragment) -> None:
        """Note that `fragment` is whole and answers what was `asked`."""
        self._latest[page] = asked, fragment
        self._latest.move_to_end(page)
        if len(self._latest) > KEPT:
            self._latest.popitem(last=False)

    def get(self, key: Hashable, answers: Answers, make: Callable[[], Fragment]) -> Fragment:
        """The fragment of `key` and these very answers, made where there is none. What is not whole is made each time."""
        identity = answers.identity()
        if identity is None:
            return make()
        whole = (key, identity)
        found = self._fragments.get(whole)
        if found is None:
            found = self._fragments[whole] = make()
            if len(self._fragments) > KEPT:
                self._fragments.popitem(last=False)
        else:
            self._fragments.move_to_end(whole)
        return found


@lru_cache(KEPT_SWITCHERS)
def switcher(site: Site, sites: tuple[Site, ...], settings_path: str) -> Markup:
    """The menu of the sites that a person may see."""
    template = _environment().get_template("_switcher.html")
    return Markup(template.render(site=site, sites=sites, settings_path=settings_path))


@cache
def _environment() -> Environment:
    return make_environment()
