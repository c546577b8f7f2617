"""Pages' dearest parts as text, drawn once for all who see the same numbers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from turnout.web.page.drawing import Answers, Bar, Drawing
from turnout.web.templating import make_environment

KEPT = 100
"""Some 50 KB each."""


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


@cache
def _environment() -> Environment:
    return make_environment()
