"""The examples in the docstrings of the reports are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import flashcrowd.report

MODULES = [found.name for found in pkgutil.iter_modules(flashcrowd.report.__path__, "flashcrowd.report.")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_report_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
