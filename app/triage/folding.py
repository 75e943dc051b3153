"""Bring written Russian to one form: case, ё, Latin look-alikes, transliteration, punctuation."""

from __future__ import annotations

import re

WORD = re.compile(r"[^\W_]+(?:['’ʼ][^\W_]+)*")
CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
LATIN = re.compile(r"[a-z]", re.IGNORECASE)

LOOKALIKES = str.maketrans("ABCEHKMOPTXYaceopxykmtu03", "АВСЕНКМОРТХУасеорхукмтиоз")
DOUBLES = frozenset("ABCEHKMOPTXYaceopxy")
"""Latin letters whose picture is that of a Cyrillic letter: a word of these alone can be «He» for «Не»."""

ENGLISH = frozenset(
    "the is are and to my your please cannot can't not of this for you we have from with at in".split()
)
NAMES = frozenset(
    "qr api sms id ble nfc ios android iphone apple google wallet watch pass24 sigur trassir dahua "
    "ivideon webhook webhooks excel xlsx csv pdf wifi usb ip email mail push error http https".split()
)
"""Words that stay Latin inside a transliterated text."""

RUSSIAN_MARKS = frozenset(
    "ne na u v i k s iz za ot ya vy kak mne po gde chto eto est net dlya mozhno nelzya kod privet "
    "spasibo menya nas vse dver dveri domoy propusk shlagbaum vorota pozhaluysta zdravstvuyte klyuch "
    "uzhe ili nado nuzhno pomogite".split()
)
RUSSIAN_SPELLING = re.compile(
    r"zh|shch|kh|yu|ya$|iy$|yy$|ets?ya$|aet|uet|ovat|eniy|ogo$|vy[kzd]|skiy|sch|oj$|ij$|je"
)

LETTERS = (
    *(("shch", "щ"), ("sch", "щ"), ("yeh", "ех"), ("zh", "ж"), ("kh", "х"), ("ch", "ч"), ("sh", "ш")),
    *(("ts", "ц"), ("tz", "ц"), ("yu", "ю"), ("ju", "ю"), ("iu", "ю"), ("ya", "я"), ("ja", "я"), ("ia", "я")),
    *(("yo", "е"), ("jo", "е"), ("ye", "ые"), ("ey", "ей"), ("ay", "ай"), ("oy", "ой"), ("uy", "уй")),
    *(("iy", "ий"), ("yy", "ый"), ("ck", "к"), ("a", "а"), ("b", "б"), ("c", "ц"), ("d", "д"), ("e", "е")),
    *(("f", "ф"), ("g", "г"), ("h", "х"), ("i", "и"), ("j", "й"), ("k", "к"), ("l", "л"), ("m", "м")),
    *(("n", "н"), ("o", "о"), ("p", "п"), ("q", "к"), ("r", "р"), ("s", "с"), ("t", "т"), ("u", "у")),
    *(
        ("v", "в"),
        ("w", "в"),
        ("x", "х"),
        ("y", "ы"),
        ("z", "з"),
        ("'", "ь"),
        ("’", "ь"),
        ("4", "ч"),
        ("6", "ш"),
    ),
)
SPELLING = dict(LETTERS)
SOUNDS = re.compile("|".join(re.escape(sound) for sound, _ in LETTERS))


def folded(text: str) -> str:
    """Lower case, ё → е, look-alikes and transliteration as Cyrillic, words parted by single spaces."""
    return " ".join(plain_words(WORD.findall(text)))


def plain_words(words: list[str]) -> list[str]:
    """Each word in its folded form; the list keeps its length."""
    if not any(map(LATIN.search, words)):
        return [word.lower().replace("ё", "е") for word in words]
    if is_transliterated(words):
        return [transliterated(word.lower()) for word in words]
    forged = any(is_mixed(word) for word in words)
    return [_plain(word, forged) for word in words]


def is_transliterated(words: list[str]) -> bool:
    """Russian in Latin letters: hardly any Cyrillic, marks of Russian, few English little words."""
    written = [word.lower() for word in words if CYRILLIC.search(word) or LATIN.search(word)]
    latin = [word for word in written if not CYRILLIC.search(word)]
    foreign = sum(word in ENGLISH for word in latin)
    russian = sum(word in RUSSIAN_MARKS or bool(RUSSIAN_SPELLING.search(word)) for word in latin)
    return len(latin) > 0.7 * len(written) and russian > foreign and russian * 6 >= len(latin)


def transliterated(word: str) -> str:
    """A lower-case Latin word by its sound («vyezd» → «выезд»); names and numbers stay."""
    if word in NAMES or not LATIN.search(word) or CYRILLIC.search(word):
        return word.replace("ё", "е")
    return SOUNDS.sub(lambda found: SPELLING[found[0]], word)


def is_mixed(word: str) -> bool:
    """Cyrillic and Latin letters in one word («пpoпycк»), digits and number plates aside."""
    return bool(LATIN.search(word) and CYRILLIC.search(word)) and sum(map(str.isdigit, word)) < 3


def _plain(word: str, forged: bool) -> str:
    """`forged`: the text mixes alphabets, so a short word of doubles is a Russian one."""
    if is_mixed(word) or (forged and not set(word) - DOUBLES):
        word = word.translate(LOOKALIKES)
    return word.lower().replace("ё", "е")
