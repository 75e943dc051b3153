"""Promises about methods: what may be called ⊆ what is emulated ⊆ what the vendor publishes or documents."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from app import bitrix
from app.bitrix import methods
from app.demo.portal.registry import METHODS
from app.demo.portal.rest3 import METHODS as VERSION_3
from app.demo.portal.spec import published

PACKAGE = Path(str(bitrix.__path__[0]))
EXAMPLES = Path(__file__).parents[1] / "data" / "bitrix24" / "examples"
METHOD = re.compile(r"(?!oauth\.bitrix)[a-z][a-zA-Z0-9]*(\.[a-zA-Z0-9]+)+|batch|profile|scope")
DOCUMENTED = {
    "batch": "the front's own",
    "crm.contact.fields": "as crm.deal.fields",
    "event.test": "rest.md 3.3",
    "events": "rest.md 3.3",
    "methods": "rest.md 10",
    "tasks.task.delete": "rest.md 5.1",
}
"""What has neither a published spec nor a sample answer."""


def named_in_the_package() -> Iterator[str]:
    """Every text in our code that reads like a method."""
    for path in PACKAGE.glob("*.py"):
        if path.stem != "methods":
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and METHOD.fullmatch(str(node.value)):
                    yield str(node.value)


def test_list_of_methods_is_what_the_package_calls() -> None:
    assert set(named_in_the_package()) == methods.ALL


def test_every_method_that_we_may_call_is_emulated() -> None:
    emulated = METHODS.keys() | VERSION_3.keys() | {"batch"}
    assert {name for name in methods.ALL if name.lower() not in emulated} == set()


def test_every_method_that_is_emulated_is_published_or_documented() -> None:
    known = {name.lower() for name in published()} | DOCUMENTED.keys()
    known |= {path.stem.lower() for path in EXAMPLES.glob("*.json")}
    assert METHODS.keys() - known == set()


def test_documented_exceptions_are_needed() -> None:
    judged = {name.lower() for name in published()}
    assert {name for name in DOCUMENTED if name in judged} == set()


def test_published_methods_are_those_of_the_vendors_files() -> None:
    text = (PACKAGE.parent / "demo" / "portal" / "spec.json").read_text("utf-8")
    assert len(json.loads(text)) > 200
