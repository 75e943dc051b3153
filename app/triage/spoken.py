"""What the writer says now: no mark-up, no older letters, no signature, no disclaimer."""

from __future__ import annotations

import html
import re
from functools import lru_cache

LINE_TAG = re.compile(r"<\s*(?:br|/p|/div|/li|/tr|/h\d)\b[^>]*>", re.IGNORECASE)
QUOTE_TAG = re.compile(r"<\s*blockquote\b.*?(?:<\s*/\s*blockquote\s*>|$)", re.IGNORECASE | re.DOTALL)
HIDDEN_TAG = re.compile(r"<\s*(style|script|head)\b.{0,4000}?</\1>", re.IGNORECASE | re.DOTALL)
TAG = re.compile(r"</?[a-z][^<>]{0,500}>|<!--.{0,2000}?-->", re.IGNORECASE | re.DOTALL)
BB_QUOTE = re.compile(r"\[quote[^\]]{0,200}\].*?(?:\[/quote\]|$)", re.IGNORECASE | re.DOTALL)
BB_CODE = re.compile(
    r"\[/?(?:b|i|u|s|url|user|img|code|size|color|font|list|\*|p|quote)(?:=[^\]]{0,500})?\]", re.IGNORECASE
)
ADDRESS = re.compile(r"https?://\S+|www\.\S+|[\w.+-]{1,64}@[\w.-]{1,200}")
SPACES = re.compile(r"[^\S\n]+")
LINES = re.compile(r"\n\s*\n")

OLDER_LETTER = re.compile(
    r"^[ \t]*(?:"
    r"-{2,}\s*(?:original message|исходное сообщение|переадресованное сообщение|forwarded message"
    r"|пересылаемое сообщение|пересланное сообщение|исходное письмо)"
    r"|_{8,}\s*$"
    r"|on .{4,80} wrote:"
    r"|(?:\S+ ){0,3}\d{1,2}[./\s]\S+.{0,80}(?:писал\w*(?:\(а\))?|пишет|написал\w*(?:\(а\))?)\s*:?\s*$"
    r"|.{0,90}<[^>]{0,200}>\s*(?:пишет|писал\w*|написал\w*)?\s*:\s*$"
    r"|(?:вы|ранее|клиент) писали?\b.{0,30}:"
    r"|(?:from|от(?: кого)?):\s*\S.*$(?=\n\s*(?:sent|date|to|кому|дата|отправлено|subject|тема):)"
    r")",
    re.IGNORECASE | re.MULTILINE,
)
QUOTED_LINE = re.compile(r"^[ \t]*(?:>|&gt;|\|[ \t]).*$", re.MULTILINE)
RETOLD = re.compile(
    r"(?<=[.!?…\n])[ \t]?(?:вы|ранее вы|в вашем письме вы) писали\s*:.*$", re.IGNORECASE | re.DOTALL
)
QUOTED_BELOW = re.compile(
    r"(?:(?<=[.!?…\n])|^)[ \t]?(?:-{2,}|>+)?[ \t]?(?:процитированн\w+|предыдущ\w+ (?:письмо|переписка)|цитата"
    r"|история переписки)\s*:.*$",
    re.IGNORECASE | re.DOTALL,
)
SIGNATURE = re.compile(
    r"(?:^|\n|(?<=[.!?…)]))[ \t]*(?:"
    r"--[ \t]*(?=\n|$)|—[ \t]*(?=\n)|с (?:глубоким |искренним )?уважением\b(?! (?:к|отно))"
    r"|с наилучшими пожеланиями|всего (?:доброго|хорошего|наилучшего)[ \t,.!]*(?=\n|$)"
    r"|best regards|kind regards|sincerely"
    r"|отправлено (?:с|из) (?:моего |мобильн\w+ )?"
    r"(?:iphone|ipad|android|samsung|xiaomi|яндекс|почты|mail|приложени)"
    r"|sent from my"
    r")",
    re.IGNORECASE,
)
DISCLAIMER = re.compile(
    r"(?:^|\n|(?<=[.!?…]))[ \t]*(?:"
    r"(?:это|данное|настоящее) (?:электронное )?(?:сообщение|письмо)(?: и .{0,40})? "
    r"(?:содерж|явля|предназнач|может содерж)"
    r"|this (?:e-?mail|message)(?: and any.{0,40})? (?:is|may|contain)|внимание! данное письмо"
    r"|конфиденциальн\w+:"
    r")",
    re.IGNORECASE,
)
AFTERWORD = re.compile(r"(?:^|\n)[ \t]*(?:p\.?\s?s\b|п\.?\s?с\b\.|з\.?ы\b)", re.IGNORECASE)
POINTS_BELOW = re.compile(
    r"\bниже|пересыла|перенаправл|переадрес|пересла|\bfwd?\b|\bfyi\b|см\. письмо|для сведения", re.IGNORECASE
)
GREETING = re.compile(
    r"(?:добр\w+ (?:день|вечер|утро|дня|утра)|здравствуйте|привет|коллеги|в работу|прошу в работу|[\s,.!])*",
    re.IGNORECASE,
)
KEEP = 6_000  # signs; a longer text tells nothing more about its class


@lru_cache(maxsize=4096)
def spoken_text(text: str) -> str:
    """The new words of a message; the whole of it when stripping would leave nothing."""
    plain = without_markup(text[:KEEP])
    own = without_older_letters(plain)
    own = _cut(own, DISCLAIMER)
    own = without_signature(own)
    return own if own.strip() else plain.strip()


def without_markup(text: str) -> str:
    """HTML and BB codes gone, their line ends kept, web and mail addresses dropped."""
    text = HIDDEN_TAG.sub(" ", BB_QUOTE.sub("\n", QUOTE_TAG.sub("\n", text)))
    text = TAG.sub(" ", LINE_TAG.sub("\n", text)) if "<" in text else text
    text = html.unescape(BB_CODE.sub("", text)).replace("\xa0", " ").replace("\r", "")
    return LINES.sub("\n\n", SPACES.sub(" ", ADDRESS.sub(" ", text))).strip()


def without_older_letters(text: str) -> str:
    """Quoted mail below the answer goes; a forwarded letter is the request itself and stays."""
    own = LINES.sub("\n\n", QUOTED_LINE.sub("", text))
    for start in (OLDER_LETTER.search(own), RETOLD.search(own), QUOTED_BELOW.search(own)):
        if start and not _only_points_below(own[: start.start()]):
            own = own[: min(start.start(), len(own))]
    return own.strip() or text


def without_signature(text: str) -> str:
    """Everything from the farewell on goes, save a postscript."""
    return _cut(text, SIGNATURE)


def _cut(text: str, mark: re.Pattern[str]) -> str:
    found = mark.search(text)
    if not found or not text[: found.start()].strip():
        return text
    afterword = AFTERWORD.search(text, found.start())
    return (text[: found.start() + 1] + (text[afterword.start() :] if afterword else "")).strip()


def _only_points_below(above: str) -> bool:
    return bool(GREETING.fullmatch(above) or POINTS_BELOW.search(above))
