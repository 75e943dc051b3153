from __future__ import annotations

import json

from app.metrics.digest import Freshness
from app.metrics.digest_tree import digest_tree
from tests.metrics.example import example, ticket
from tests.metrics.outcomes import at


def test_a_digest_survives_json() -> None:
    tree = json.loads(json.dumps(digest_tree(example()), ensure_ascii=False))

    assert tree["period"] == {"kind": "day", "first": "2026-11-23", "last": "2026-11-23"}
    assert tree["figures"]["reply_sla"]["numerator"] == 15
    assert [line["ref"] for line in tree["late"]] == ["deal:4088", "deal:4101"]
    assert tree["now"]["burning"][0]["due_at"] == "2026-11-24T06:02:00Z"


def test_unread_is_null() -> None:
    tree = digest_tree(example(fresh=Freshness(at("23.11 18:00"), trouble="портал не отвечает")))

    assert (tree["now"], tree["figures"], tree["late"], tree["agents"]) == (None, None, None, None)


def test_titles_are_masked() -> None:
    tree = digest_tree(example([], [ticket(due="24.11 09:00", title="+7 912 345-67-89")]))

    assert "912" not in json.dumps(tree)
