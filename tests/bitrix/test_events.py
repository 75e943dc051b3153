"""Outgoing webhooks: every event of rest.md 3.2, and bodies that are none."""

import contextlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import qs_codec
from hypothesis import given
from hypothesis import strategies as st

from app.bitrix.events import Unreadable, event_of, parse_php, read_form, token_of
from app.model import Event, parse_subject

EXAMPLES = Path(__file__).parent.parent / "data" / "bitrix24" / "examples"
FORM = "application/x-www-form-urlencoded"


def samples() -> list[tuple[str, Any]]:
    """Every documented body, as an application and as an outgoing webhook gets it."""
    found = []
    for path in sorted(EXAMPLES.glob("event.*.json")):
        sample = json.loads(path.read_text())
        bodies = [sample.get("body"), sample.get("body_outgoing_webhook")]
        found += [(f"{path.stem}-{i}", body) for i, body in enumerate(bodies) if body and "raw" in body]
    return found


SAMPLES = samples()


def read(raw: str) -> Event:
    return event_of(read_form(raw.encode(), FORM))


def without_empty(tree: Any) -> Any:
    """An empty map leaves no trace in a form."""
    if not isinstance(tree, dict):
        return tree
    return {key: without_empty(value) for key, value in tree.items() if value != {}}


def test_the_samples_are_there() -> None:
    assert len(SAMPLES) >= 50


@pytest.mark.parametrize("body", [body for _, body in SAMPLES], ids=[name for name, _ in SAMPLES])
def test_sample_is_read_as_php_reads_it(body: Any) -> None:
    tree = read_form(body["raw"].encode(), FORM)
    assert tree == without_empty(body["decoded"])


@pytest.mark.parametrize("body", [body for _, body in SAMPLES], ids=[name for name, _ in SAMPLES])
def test_sample_reads_the_same_from_json(body: Any) -> None:
    form = event_of(read_form(body["raw"].encode(), FORM))
    same = event_of(read_form(json.dumps(body["decoded"]).encode(), "application/json"))
    assert same == form


KNOWN = [
    ("event=ONCRMDEALADD&data[FIELDS][ID]=41", "deal:41"),
    ("event=ONCRMDEALUPDATE&data[FIELDS][ID]=41", "deal:41"),
    ("event=ONCRMDEALDELETE&data[FIELDS][ID]=41", "deal:41"),
    ("event=ONCRMDEALMOVETOCATEGORY&data[FIELDS][ID]=41&data[FIELDS][CATEGORY_ID]=3", "deal:41"),
    ("event=ONCRMDYNAMICITEMADD&data[FIELDS][ID]=5&data[FIELDS][ENTITY_TYPE_ID]=177", "item:177:5"),
    ("event=ONCRMDYNAMICITEMUPDATE_177&data[FIELDS][ID]=5&data[FIELDS][ENTITY_TYPE_ID]=177", "item:177:5"),
    ("event=ONCRMDYNAMICITEMUPDATE_177&data[FIELDS][ID]=5", "item:177:5"),
    ("event=ONCRMDYNAMICITEMDELETE&data[FIELDS][ID]=5&data[FIELDS][ENTITY_TYPE_ID]=2", "deal:5"),
    ("event=ONTASKADD&data[FIELDS_BEFORE]=undefined&data[FIELDS_AFTER][ID]=17", "task:17"),
    ("event=ONTASKUPDATE&data[FIELDS_BEFORE][ID]=17&data[FIELDS_AFTER][ID]=17", "task:17"),
    ("event=ONTASKDELETE&data[FIELDS_BEFORE][ID]=17&data[FIELDS_AFTER]=undefined", "task:17"),
    ("event=ONTASKCOMMENTADD&data[FIELDS_AFTER][TASK_ID]=17&data[FIELDS_AFTER][MESSAGE_ID]=1458", "task:17"),
    ("event=ONTASKCOMMENTADD&data[FIELDS_AFTER][ID]=9&data[FIELDS_AFTER][TASK_ID]=17", "task:17"),
    ("event=ONTASKCOMMENTDELETE&data[FIELDS_BEFORE][TASK_ID]=17&data[FIELDS_AFTER]=undefined", "task:17"),
    ("event=onCrmActivityAdd&data[FIELDS][ID]=12", "activity:12"),
    ("event=ONCRMACTIVITYDELETE&data[ID]=12", "activity:12"),
    ("event=ONCRMTIMELINECOMMENTADD&data[FIELDS][ID]=9", "comment:9"),
    ("event=ONCRMTIMELINECOMMENTUPDATE&data[ID]=9", "comment:9"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "subject"), KNOWN)
def test_event_names_what_to_read_again(raw: str, subject: str) -> None:
    assert read(raw).subject == parse_subject(subject)


@pytest.mark.parametrize(
    "raw",
    [
        "event=ONUSERADD&data[ID]=5",
        "event=ONCRMTYPEADD&data[FIELDS][ID]=5",
        "event=ONCRMCONTACTUPDATE&data[FIELDS][ID]=5",
        "event=ONIMBOTV2MESSAGEADD&data[bot][id]=5",
        "event=ONOFFLINEEVENT",
        "event=ONCRMDEALUPDATE",
        "event=ONCRMDEALUPDATE&data=5",
        "event=ONCRMDEALUPDATE&data[FIELDS][ID]=0",
        "event=ONCRMDEALUPDATE&data[FIELDS][ID]=-4",
        "event=ONCRMDEALUPDATE&data[FIELDS][ID]=4x",
        "event=ONCRMDEALUPDATE&data[FIELDS][ID][0]=4",
        "event=ONCRMDEALUPDATE&data[FIELDS][ID]=9999999999999999999",
        "event=ONCRMDEALUPDATE&data[FIELDS][ID]=%D9%A3",
        "event=ONCRMDYNAMICITEMUPDATE&data[FIELDS][ID]=5",
        "event=ONTASKADD&data[FIELDS_BEFORE]=undefined&data[FIELDS_AFTER]=undefined",
    ],
)
def test_event_of_no_use_keeps_its_name_only(raw: str) -> None:
    event = read(raw)
    assert event.subject is None
    assert event.name == raw.partition("&")[0].removeprefix("event=")


def test_token_and_time_are_read() -> None:
    tree = read_form(b"event=ONTASKADD&ts=1735374081&auth[application_token]=secret", FORM)
    sent_at = event_of(tree).sent_at
    assert token_of(tree) == "secret"
    assert sent_at is not None
    assert sent_at.isoformat() == "2024-12-28T08:21:21+00:00"


def test_token_that_is_no_text_is_no_token() -> None:
    assert token_of(read_form(b"event=X&auth[application_token][0]=secret", FORM)) == ""


BAD = [
    (b"data[FIELDS][ID]=1", FORM),
    (b"event=&data[ID]=1", FORM),
    (b"event[x]=1", FORM),
    (b"", FORM),
    (b"event=ONTASKADD&x=%FF", FORM),
    (b"event=ONTASKADD&x=\xff", FORM),
    (b"event=X&a" + b"[b]" * 10 + b"=1", FORM),
    (b"&".join([b"event=X"] + [b"k%d=1" % i for i in range(1000)]), FORM),
    (b"{", "application/json"),
    (b"[]", "application/json; charset=utf-8"),
    (b'{"event": 5, "data": {"a": "\\ud800"}}', "application/json"),
    (b'{"event": "X", "data": ' + b"[" * 5000 + b"]" * 5000 + b"}", "application/json"),
    (b'{"event": "X", "data": ' + b'{"a": ' * 10 + b"{}" + b"}" * 10 + b"}", "application/json"),
    (json.dumps({"event": "X", "data": list(range(1000))}).encode(), "application/json"),
]


@pytest.mark.parametrize(("body", "kind"), BAD)
def test_unreadable_body_is_refused(body: Any, kind: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        read_form(body, kind)
    assert refusal.value.status == 400


PHP = [
    ("a[]=1&a[]=2", {"a": {"0": "1", "1": "2"}}),
    ("a[5]=1&a[]=2", {"a": {"5": "1", "6": "2"}}),
    ("a=1&a[b]=2", {"a": {"b": "2"}}),
    ("a[b]=1&a=2", {"a": "2"}),
    ("a[b]rest=1", {"a": {"b": "1"}}),
    ("a.b=1&c d=2", {"a_b": "1", "c_d": "2"}),
    ("a=+%2B", {"a": " +"}),
    ("[a]=1&=2", {}),
]


@pytest.mark.parametrize(("text", "tree"), PHP)
def test_brackets_are_read_as_php_reads_them(text: str, tree: Any) -> None:
    assert parse_php(text) == tree


NAMES = st.text("abcXYZ_019", min_size=1, max_size=6).filter(lambda name: not name.isdigit())
TREES = st.recursive(
    st.text(max_size=8), lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=4), max_leaves=12
)


def encoded(tree: Any, prefix: str = "") -> list[str]:
    if not isinstance(tree, dict):
        return [f"{quote(prefix)}={quote(tree)}"]
    pairs = [(f"{prefix}[{key}]" if prefix else key, value) for key, value in tree.items()]
    return [part for key, value in pairs for part in encoded(value, key)]


@given(st.dictionaries(NAMES, TREES, min_size=1, max_size=4))
def test_trees_are_read_as_another_parser_reads_them(tree: Any) -> None:
    text = "&".join(encoded(tree))
    oracle = qs_codec.decode(text, qs_codec.DecodeOptions(depth=20, parameter_limit=1000))
    assert parse_php(text) == tree == oracle


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_unreadable(body: Any) -> None:
    for kind in (FORM, "application/json"):
        with contextlib.suppress(Unreadable):
            assert event_of(read_form(body, kind)).name
