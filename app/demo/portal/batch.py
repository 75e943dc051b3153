"""batch: up to fifty calls in one request, with references to earlier answers (rest.md 1.8)."""

import re
from dataclasses import dataclass, field
from typing import Any

from .calls import Calls, Credential, Outcome
from .errors import RestError
from .php import parse_query, php_json
from .registry import integer, mapping, yes
from .world import Record

MOST = 50
_FORBIDDEN = frozenset({"batch", "download", "upload"})
_REFERENCE = re.compile(r"\$(result|total|next|error|time)((?:\[[^\]\s]*\])+\S*)")
_KEY = re.compile(r"\[([^\]]+)\]")


@dataclass(slots=True)
class _Answers:
    """The five maps of an answer, keyed like `cmd`; references look into them."""

    result: Record = field(default_factory=dict)
    error: Record = field(default_factory=dict)
    total: Record = field(default_factory=dict)
    next: Record = field(default_factory=dict)
    time: Record = field(default_factory=dict)
    seconds: float = 0.0

    def take(self, key: str, outcome: Outcome) -> None:
        self.seconds += outcome.seconds
        if outcome.error:
            self.error[key] = _inner(outcome.error)
            return
        assert outcome.page is not None
        self.result[key] = php_json(outcome.page.result)
        self.time[key] = outcome.time
        for kept, value in ((self.total, outcome.page.total), (self.next, outcome.page.next)):
            if value is not None:
                kept[key] = value

    def shown(self) -> Record:
        return {
            "result": self.result,
            "result_error": self.error,
            "result_total": self.total,
            "result_next": self.next,
            "result_time": self.time,
        }


def _inner(error: RestError) -> Record:
    """A refusal inside a batch; that of a scope has an empty description."""
    return error.body | ({"error_description": ""} if error.code == "insufficient_scope" else {})


def run(calls: Calls, params: dict[str, Any], who: Credential) -> tuple[Record, float]:
    """The answer of a batch and the seconds it took. HTTP is 200 whatever its commands give."""
    answers = _Answers()
    halt = yes(params.get("halt")) or integer(params.get("halt")) > 0
    for place, (key, command) in enumerate(_commands(params)):
        outcome = _one(calls, answers, place, str(command), who)
        answers.take(key, outcome)
        if halt and outcome.error:
            break
    return answers.shown(), answers.seconds


def _commands(params: dict[str, Any]) -> list[tuple[str, Any]]:
    upper = {name.lower(): value for name, value in params.items()}
    return list(mapping(upper.get("cmd")).items())


def _one(calls: Calls, answers: _Answers, place: int, command: str, who: Credential) -> Outcome:
    method, query = parsed(command)
    refusal = None
    if place >= MOST:
        refusal = RestError("ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")
    elif method.lower() in _FORBIDDEN:
        refusal = RestError("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage", 405)
    if refusal:
        return Outcome(None, refusal, {}, 0.0)
    return calls.run(method, resolved(query, answers), who, inside_batch=True)


def parsed(command: str) -> tuple[str, dict[str, Any]]:
    """Method and parameters of a command; a raw `#` ends it, `+` is a space, every value is a string."""
    path, _, query = command.split("#", 1)[0].partition("?")
    return path.strip("/").removesuffix(".json"), parse_query(query)


def resolved(node: Any, answers: _Answers) -> Any:
    if isinstance(node, dict):
        return {key: resolved(value, answers) for key, value in node.items()}
    return _resolve_text(node, answers) if isinstance(node, str) else node


def _resolve_text(text: str, answers: _Answers) -> Any:
    """References become values. The pattern runs to the next whitespace; a missing path leaves the text,
    or gives as much as was found when the reference is the whole value.
    """
    whole = _REFERENCE.fullmatch(text)
    if whole:
        value, found = _look_up(whole, answers)
        return value if found or value is not None else text
    return _REFERENCE.sub(lambda match: _inserted(match, answers), text)


def _inserted(match: re.Match[str], answers: _Answers) -> str:
    value, found = _look_up(match, answers)
    return str(value) if found and not isinstance(value, (dict, list)) else match[0]


def _look_up(match: re.Match[str], answers: _Answers) -> tuple[Any, bool]:
    """The value at a path and whether the whole path was there; None when not even its first key was."""
    value: Any = getattr(answers, match[1])
    for step, key in enumerate(_KEY.findall(match[2])):
        following = _child(value, key)
        if following is None:
            return (value if step else None), False
        value = following
    return value, True


def _child(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return value.get(key)
    in_list = isinstance(value, list) and key.isdigit() and int(key) < len(value)
    return value[int(key)] if in_list else None
