"""A recording beside the emulated portal: the documented answers, or `--recorded FILE` of a portal.

`tests/data/recorded_shapes.json` holds the shapes of the documented samples. After the samples changed,
`python -m tests.bitrix.test_recorded` writes it anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.bitrix.shapes import differences, shape_of

if TYPE_CHECKING:
    from .conftest import World

pytestmark = pytest.mark.anyio

DATA = Path(__file__).parents[1] / "data"
DOCUMENTED = DATA / "recorded_shapes.json"
BY_TYPE_OF_FIELD = {
    "crm.deal.userfield.list [].SETTINGS.DEFAULT_VALUE": "each type of field has a default of its own",
    "tasks.task.get task.UF_*": "custom fields of all types stand under one name",
}


def documented() -> dict[str, Any]:
    """Every method that the vendor shows an answer of."""
    samples = {
        path.stem: json.loads(path.read_text("utf-8")) for path in (DATA / "bitrix24/examples").glob("*")
    }
    answers = {
        method: sample["response"] for method, sample in sorted(samples.items()) if "response" in sample
    }
    return {method: shape_of(told["result"]) for method, told in answers.items() if "result" in told}


def written(shapes: dict[str, Any]) -> str:
    return json.dumps(shapes, ensure_ascii=False, indent=1) + "\n"


def test_recording_of_the_documents_is_what_their_samples_show() -> None:
    assert DOCUMENTED.read_text("utf-8") == written(documented())


async def test_emulated_portal_answers_in_the_documented_kinds(lively: World) -> None:
    """Keys are compared in test_portal_samples, where the same is asked; here only the kinds can be."""
    recorded = json.loads(DOCUMENTED.read_text("utf-8"))
    told = [line for line in differences(recorded, await lively.portal.shapes()) if "записано" in line]
    assert [line for line in told if line.partition(": ")[0] not in BY_TYPE_OF_FIELD] == []


async def test_emulated_portal_answers_as_the_recorded_one(
    lively: World, request: pytest.FixtureRequest
) -> None:
    file = request.config.getoption("--recorded")
    recorded = json.loads(file.read_text("utf-8")) if file else await lively.portal.shapes()
    assert "\n".join(differences(recorded, await lively.portal.shapes())) == ""


if __name__ == "__main__":
    DOCUMENTED.write_text(written(documented()), "utf-8")
