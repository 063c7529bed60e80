"""Prompts, outputs of models and conversations in a text: their labels, their imperatives, their turns of phrase.

A description of them ("asked the model to write comments in Urdu") is none; a quotation is.
"""

from __future__ import annotations

import re

_MADE = (
    r"(?:tweets?|posts?|comments?|articles?|captions?|repl(?:y|ies)|hashtags?|slogans?|bios?|paragraphs?|stor(?:y|ies)|reviews?"
    r"|e-?mails?|headlines?|scripts?|essays?|letters?|messages?|threads?|versions?|variations?|texts?|images?|memes?|personas?"
    r"|summar(?:y|ies)|profiles?|jokes?|speech(?:es)?)"
)
_NUMBER = (
    r"(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|fifty|some|several|many|more|me"
    r"|us|the|this)"
)
_BEGIN = r"(?:^|[.!?:;=&\n\"“”«'‘>|\]]\s{0,99}+)"
_QUOTE = r"[\"“«'‘]"
_SAID = r"(?:was|were|is|read|reads|said|says|used)"
_VERB = r"(?:write|generate|create|draft|compose|produce|rewrite|paraphrase|translate|give|make|summari[sz]e|invent)"
_CAPITAL = re.compile(
    r"(?<=[\w)])\s*(?:Write|Generate|Create|Draft|Compose|Produce|Rewrite|Paraphrase|Translate|Summari[sz]e|Invent)\s+"
    rf"(?i:{_NUMBER}\b[^.\n]{{0,80}}?\b{_MADE})\b")
"""An imperative in the midst of a sentence is a quotation without its marks."""
_ELSEWHERE = (
    r"(?:schreibe?|erstelle|generiere|verfasse|ubersetze)\s+(?:mir\s+|uns\s+|bitte\s+)?(?:\d+|eine?n?|zwei|drei|vier|funf|sechs"
    r"|sieben|acht|neun|zehn|zwanzig|den|die|das|diesen?|folgenden?)\b",
    r"(?:escrib[ea](?:me|nos)?|genera|genere|redact[ae]|crea|traduc[ea])\s+(?:\d+|un[ao]?s?|dos|tres|cuatro|cinco|seis|siete|ocho"
    r"|nueve|diez|veinte|el|la|los|las|est[ae])\b",
    r"(?:ecris|ecrivez|redigez?|generez?|traduis(?:ez)?|creez?)[\s-]+(?:moi\s+|nous\s+)?(?:\d+|une?|des|deux|trois|quatre|cinq|six"
    r"|sept|huit|neuf|dix|vingt|les?|la|ce|cet|cette)\b",
    r"(?:escreva|crie|gere|redija|traduza)\s+(?:\d+|uma?|dois|duas|tres|quatro|cinco|dez|os?|as?|este|esta)\b",
    r"(?:напиши|созда[ий]|сгенериру[ий]|придума[ий]|переведи)(?:те)?\s+\S+\s+\S",
    r"(?:napisz|stworz|wygeneruj|przetlumacz)\s+\S+\s+\S",
    r"(?:اكتب|ترجم|بنویس|بنویسید|لکھو|لکھیں)\s+\S+\s+\S",
    r"(?:请|請)?(?:写|寫|生成|创作|撰写|翻译)(?:出)?(?:\d+|[一二三四五六七八九十两几]+)\S",
)
"""Imperatives of other languages, in texts without accents (``exchange.model.personal.unwrap.fold``)."""
_PATTERNS = tuple(re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in (
    rf"{_BEGIN}(?:please\s+)?{_VERB}\s+{_NUMBER}\b[^.\n]{{0,80}}?\b{_MADE}\b",
    *(rf"{_BEGIN}(?:bitte\s+|por favor,?\s+|s'il (?:te|vous) plait,?\s+|пожалуиста,?\s+)?{one}" for one in _ELSEWHERE),
    rf"{_BEGIN}(?:please\s+)?(?:translate|rewrite|paraphrase|summari[sz]e)\s+(?:the\s+following|this|these|that)\b",
    rf"\bprompts?(?:\s+text)?\s*(?:{_SAID}\s*[:,]?\s*{_QUOTE}|[:=]\s*\S)",
    rf"\b(?:outputs?|completions?|responses?|transcript|conversation)\s*(?:{_SAID}\s*[:,]?\s*[\"“«]|[:=]\s*{_QUOTE}"
    r"|[:=]\s*(?:\S+\s+){7,}\S)",
    r"(?:^|(?<=[\"“])|(?<=\s\s)|(?<=[\"“]\s)|(?<=^\s))(?:user|human|assistant|system|bot|ai|q|a)\s*:\s*\S+(?:\s+\S+){3}",
    r"<\|?(?:im_start|im_end|system|user|assistant|endoftext|begin_of_text|start_header_id)\|?>|\[/?INST\]|<<SYS>>",
    r"^#{2,3}\s*(?:Instruction|Response|Input)",
    r"[\"']?role[\"']?\s*[:=]\s*[\"']?(?:user|assistant|system|developer|tool)\b",
    r"[\"'](?:prompt|messages|completion|content)[\"']\s*:\s*[\"\[{]",
    rf"{_BEGIN}(?:from now on,?\s+)?(?:you are (?:a|an|now|the)|act as|pretend (?:to be|you are|that)|imagine you(?:'re"
    r"| are)|role-?play as)\b",
    r"\bignore (?:all |any |the |your )*(?:previous|prior|above|earlier) (?:instructions?|prompts?|rules)\b",
    r"\bas an? (?:ai|artificial intelligence|large language|language)(?: language)?(?: model| assistant)\b[, ]+i\b",
    r"\bi(?:'m| am) (?:sorry|afraid),? (?:but )?i (?:can't|cannot|can not|won't)\b",
    r"\bi (?:can't|cannot) (?:assist|help) with (?:that|this)\b",
    rf"{_BEGIN}(?:sure|certainly|of course|absolutely)[,!.]+\s+(?:here|i)\b",
    rf"{_BEGIN}here(?:'s| is| are)\s+{_NUMBER}\b[^.\n]{{0,60}}?\b{_MADE}\b[^.\n]{{0,40}}:",
    r"\bin the (?:voice|style|tone|persona) of (?:an? )?[^.\n]{0,40}[:,\"“@]",
    r"[\"“«](?:[^\s\"”»]{1,80}+\s++){14,}[^\s\"”»]{1,80}+[\"”»]",
))  # fmt: skip


def words(text: str) -> bool:
    """Whether a text quotes a prompt, an output or a conversation."""
    return _CAPITAL.search(text) is not None or any(pattern.search(text) for pattern in _PATTERNS)
