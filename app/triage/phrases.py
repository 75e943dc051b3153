"""Messages that are no real answer and no real question (sla.md 2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from app.triage.folding import folded
from app.triage.spoken import spoken_text

__all__ = ["folded", "is_acknowledgement", "is_automatic", "is_thanks", "spoken_text"]

THANKS = frozenset(
    "спасибо спасибочки благодарю благодарим благодарен благодарна благодарны пасиб пасибо спс сенкс "
    "мерси thanks thank".split()
)
ASSENT = frozenset(
    "ок окей ok okay хорошо понял поняла поняли понятно ясно принято принял приняла договорились".split()
)
COURTESY = frozenset(
    "вам вас вы тебе вашу ваш ваше ваша и за все очень это эту этот теперь уже сразу таки бы с да так "
    "день добрый здравствуйте служба you very much so for your help".split()
)
COURTESY_STEMS = tuple(
    "больш огромн выруч помощ помог ответ быстр операт разъясн консультац поддержк информац скорост "
    "работа заработа получил разобра реш отличн супер класс прекрасн здоров хорош добр приятн удач дня "
    "вечер всего уважаем коллег вопрос снят закрыт проблем выходн праздник наступающ ребят лучш открыл "
    "пустил зашел зашла зашли увидел нашел нашла умниц молодц сил терпен внимани обратн связ восстанов "
    "прошл приш появил настро доволен довольн жител жильц".split()
)
BOT_COMMAND = re.compile(r"/[a-z_]+(?:@\w+)?(?: [\w=-]{1,64})?", re.IGNORECASE)
SIGNS_OF_JOY = re.compile(r"[👍🙏❤🤝👌😊🙂😉]")


def is_acknowledgement(text: str, phrases: Sequence[str]) -> bool:
    """The whole message, case and punctuation aside, is one of the phrases («Принято!»)."""
    return folded(spoken_text(text)) in _folded_all(tuple(phrases))


def is_automatic(text: str, phrases: Sequence[str]) -> bool:
    """One of the phrases stands in the message, on word boundaries."""
    whole = f" {folded(text)} "
    return any(f" {phrase} " in whole for phrase in _folded_all(tuple(phrases)))


def is_thanks(text: str, phrases: Sequence[str] = ()) -> bool:
    """Nothing but thanks or assent: «Спасибо большое, всё заработало»; a question is more."""
    own = spoken_text(text)
    words = folded(own).split()
    if "?" in own:
        return False
    if not words:
        return bool(SIGNS_OF_JOY.search(own))
    if " ".join(words) in _folded_all(tuple(phrases)):
        return True
    return not (THANKS | ASSENT).isdisjoint(words) and all(_is_polite(word) for word in words)


def is_command(text: str) -> bool:
    """A word to a chat bot, «/start», and no word to people."""
    return bool(BOT_COMMAND.fullmatch(text.strip()))


def _is_polite(word: str) -> bool:
    return word in THANKS or word in ASSENT or word in COURTESY or word.startswith(COURTESY_STEMS)


@lru_cache(maxsize=64)
def _folded_all(phrases: tuple[str, ...]) -> frozenset[str]:
    return frozenset(filter(None, map(folded, phrases)))
