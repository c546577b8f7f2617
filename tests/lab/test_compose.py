"""The services of the lab: step 0 with the definitions of its mends."""

from __future__ import annotations

import ast

import pytest

from lab.launch_day import compose, story


def test_without_mends_it_is_step_0_to_the_letter() -> None:
    assert compose.compose(()) == compose.STEP_0.read_text()


@pytest.mark.parametrize("step", [*story.STEPS, *story.VARIANTS], ids=lambda step: step.name)
def test_every_step_and_variant_is_a_whole_service(step: story.Step) -> None:
    tree = ast.parse(compose.compose(step.mends))
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert len(defined) == len(set(defined))
    assert {"sign_in", "dashboard", "count_view", "roll_up", "refresh_caches"} <= set(defined)
    assert compose.STEP_0_MODULE not in ast.unparse(tree)


def test_a_mend_changes_what_it_names_and_nothing_else() -> None:
    def definitions(mends: tuple[str, ...]) -> dict[str, str]:
        tree = ast.parse(compose.compose(mends))
        return {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef)}

    before, after = definitions(()), definitions(("locks",))
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"settings_for", "may_see", "refresh_caches", "count_view", "roll_up"}


def test_two_mends_of_one_definition_are_refused() -> None:
    with pytest.raises(compose.Clash, match="settings_lock"):
        compose.compose(("locks", "locks"))
