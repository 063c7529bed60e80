"""Names of people in a text: after a title or a word that announces one, or a common given name before another name.

No list holds all names; what is found is the careless case. What follows a given name and is an institution, a
place or a thing ("Charles University", "Jordan Valley") is no person.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

_PAIR = re.compile(r"(?=(?<![\w@./-])([A-Z][a-z]+)\s+(?:[A-Z]\.\s+|(?:van|von|de|da|del|der|bin|ibn|al|el|la|le)\s+)?"
                   r"([A-Z][A-Za-z'-]{1,30})(?:\s+([A-Z][A-Za-z'-]+))?)")  # fmt: skip
_REVERSED = re.compile(r"(?<![\w@./-])([A-Z][A-Za-z'-]{2,30}),\s+([A-Z][a-z]+)(?![\w-])")
_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Mister|Dr|Prof|Herr|Frau|Senora?|Sra|Monsieur|Madame|Mme|Sheikh|Sir|Dame)\b\.?\s+[A-Z][a-z'-]+")
_TOLD = re.compile(
    r"\b(?:real|full|legal|given|first|last|middle|maiden|family|personal|true)[ _-]?names?\b\W{0,3}(?:is|was|of|:|=)?"
    r"\W{0,3}[A-Z][\w'-]+|\b(?i:named|called|known as|identified as|registered to|belongs to|owner is|operator is"
    r"|person:|owner:|operator:|name:|contact:)\s+[A-Z][a-z'-]+\s+[A-Z][a-z'-]+\b(?!\s+[A-Z])")  # fmt: skip
_DOUBLE = re.compile(
    r"(?<![\w@./-])([A-Z][a-z]{2,15})-[A-Z][a-z]{2,15}\s+(?:(?:van|von|de|da|del|der)\s+)?([A-Z][A-Za-z'-]{1,30})")
"""A given name of two parts, of which the first is known."""
_ENDS = r"(?:ов|ев|ёв|ин|ын|ова|ева|ёва|ина|ына|ский|ская|енко|чук|юк)"
_CYRILLIC = re.compile(
    r"\b(?:Александр|Алексей|Анатолий|Андрей|Анна|Антон|Борис|Валентин|Виктор|Виктория|Владимир|Галина|Дарья|Денис|Дмитрий"
    r"|Евгени[йя]|Екатерина|Елена|Иван|Игорь|Ирина|Кирилл|Константин|Ксения|Людмила|Максим|Марина|Мария|Михаил|Наталья|Никита"
    r"|Николай|Олег|Ольга|Павел|Роман|Светлана|Сергей|Станислав|Татьяна|Юлия|Юрий)\s+[А-ЯЁ][а-яё]{2,20}"
    rf"{_ENDS}\b|\b[А-ЯЁ][а-яё]{{2,20}}{_ENDS}\s+[А-ЯЁ]\.\s?[А-ЯЁ]\.")
"""A Russian given name before a word that ends as surnames do, and a surname with two initials."""
_PATRONYMIC = re.compile(r"[А-ЯЁ][а-яё]+\s+[А-ЯЁ][а-яё]+(?:ович|евич|овна|евна|ична)\b")


@cache
def _known(which: str) -> frozenset[str]:
    """``given``: given names that are common somewhere; ``things``: what stands behind one in names of no person."""
    text = files("exchange.model.personal").joinpath("names.json").read_text(encoding="utf-8")
    return frozenset(json.loads(text)[which])


def people(text: str) -> bool:
    """Whether a text names a person, as far as lists and announcing words tell."""
    if _TITLED.search(text) or _PATRONYMIC.search(text) or _CYRILLIC.search(text):
        return True
    if any(_is_person(given, family, None) for given, family in _DOUBLE.findall(text)):
        return True
    if any(not _known("things").intersection(found.group().split()) for found in _TOLD.finditer(text)):
        return True
    turned = (found for found in _REVERSED.finditer(text) if found[1] not in _known("given"))
    if any(_is_person(found[2], found[1], None) for found in turned):
        return True
    return any(_is_person(*found.groups()) for found in _PAIR.finditer(text))


def _is_person(given: str, family: str, after: str | None) -> bool:
    things = _known("things")
    return given in _known("given") and family not in things and after not in things
