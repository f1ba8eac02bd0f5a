"""How models say that they will not, cannot, or are but models: patterns by language.

Each pattern is searched in one sentence in lower case, with plain apostrophes and without what it
quotes. The lists are our own, written from how chat models answer; a new wording is a new line here
and a case in the table of examples.
"""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["en", "de", "fr", "es", "zh"]
Code = Literal["refusal", "speaks_as_model"]
Pattern = tuple[Code, re.Pattern[str]]


def _model(*parts: str) -> Pattern:
    return "speaks_as_model", re.compile("".join(parts))


def _refuses(*parts: str) -> Pattern:
    return "refusal", re.compile("".join(parts))


_EN_MODEL = (
    r"an? (?:\w+ )?(?:ai|a\.i\.|artificial intelligence|language model|llm|chatbot)"
    r"(?: language)?(?: model| assistant| chatbot| system)?"
)
_EN_CANNOT = (
    r"\b(?:i|we) (?:really |simply |just )?(?:can'?t|can ?not|"
    r"(?:won'?t|will not)(?: be able to)?|"
    r"(?:am|are|'m) (?:not able|unable|not allowed|not permitted|not going) to|"
    r"(?:must|have to) decline to|refuse to|(?:am not|don't feel) comfortable)"
    r"|\bi'm (?:\w+ )?(?:unable to|not comfortable|"
    r"not (?:able|allowed|permitted|programmed|designed|going) to)"
)
# A refusal names the request ("that", "your", "instructions"); a letter that says "I can't give up
# my Saturdays" or "I won't write to him" does not.
_EN_REQUEST = (
    r"(?:with |to |on |in |about )?(?:you|that|this|these|those|such|any|your|it\b|instructions|"
    r"information|advice|guidance|assistance|details|content|medical|legal|financial|explicit|"
    r"specific|personal|real-time|current|"
    r"(?:a|an|the) (?:\w+ )?(?:response|answer|request|question))"
)
_EN_DO = (
    r"(?:provid\w+|answer\w*|fulfil\w*|giv\w+|shar\w+|creat\w+|writ\w+|generat\w+|produc\w+|"
    r"offer\w*|discuss\w*|do|complet\w+|continu\w+|support\w*|tell\w*|respond\w*|recommend\w*)"
)
# "I cannot recommend this book enough" praises.
_NOT_PRAISE = r"(?![^.!?]*\benough\b)"

_EN = (
    # "As an AI, I ..." but not "as an AI researcher, I ..." nor "as a language model, GPT-3 ...".
    _model(r"\bas ", _EN_MODEL, r"\b(?! \w*(?:er|or|ist|ian)s?\b)[^.!?]{0,80}?\b(?:i|my)\b"),
    _model(
        r"\bi(?:'m| am) (?:\w+, )?(?:just |only |merely |simply )?",
        _EN_MODEL,
        r"(?=$|[^\w\s-]| (?:and|but|so|that|who|which|by|trained|created|developed|made|designed|"
        r"without|i)\b)",
    ),
    _model(
        r"\bi (?:do not|don't) (?:actually )?have "
        r"(?:personal (?:opinion|experience|feeling|belief)|"
        r"real-time|access to (?:real-time|the internet|current)|"
        r"the (?:ability|capability) to (?:browse|access|feel|see|hear))",
    ),
    _model(r"\bmy (?:training data|knowledge cut-?off|programming)\b"),
    # "I can't help but notice" and "I can't help feeling" refuse nothing.
    _refuses(
        rf"(?:{_EN_CANNOT}) (?:\w+ )?(?:help|assist|comply|engag\w+|participat\w+)",
        r"(?:$|[^\w\s]| (?:you|with|in|your|that|this|here|them)\b)",
        _NOT_PRAISE,
    ),
    _refuses(rf"(?:{_EN_CANNOT}) (?:\w+ )?{_EN_DO} {_EN_REQUEST}", _NOT_PRAISE),
    _refuses(r"\bi (?:must|have to|need to|will have to)(?: \w+ly)? (?:decline|refuse)\b"),
    _refuses(
        r"\b(?:your|this|that) (?:request|question|prompt) (?:\w+ )?",
        r"(?:violates|goes against|is (?:against|inappropriate|unethical|harmful|illegal))",
    ),
    _refuses(
        r"\b(?:against|violates?|outside) my (?:\w+ )?",
        r"(?:guidelines|policy|policies|programming|principles|capabilities)\b",
    ),
    _refuses(r"\b(?:inappropriate|unethical|irresponsible) for me to\b"),
    _refuses(
        r"\b(?:sorry|apologi[sz]e|unfortunately)\b[^.!?]{0,40}\b",
        r"not something (?:that )?i(?:'m| am| can)\b",
    ),
)

_DE_MODEL = r"(?:ki|künstliche intelligenz|\w*sprachmodell|ki-\w+)\b"
_DE = (
    _model(r"\bals (?:eine? )?", _DE_MODEL, r"[^.!?]{0,60}\b(?:ich|mir|mein)"),
    _model(r"\bich bin (?:nur |lediglich |bloß )?eine? ", _DE_MODEL),
    _refuses(
        r"\b(?:kann|darf|werde|möchte) (?:ich )?(?:\w+,? ){0,6}nicht (?:\w+ ){0,3}",
        r"(?:helfen|weiterhelfen|behilflich|unterstützen|beantworten|erfüllen|bereitstellen|nachkommen)",
    ),
)

_FR_MODEL = r"(?:ia|intelligence artificielle|modèle de langage|assistant virtuel)\b"
_FR = (
    _model(r"\ben tant qu(?:e |')(?:\w+ )?", _FR_MODEL, r"[^.!?]{0,60}\b(?:je|j'|mes|mon)"),
    _model(r"\bje (?:ne )?suis (?:qu'|seulement |juste )?une? ", _FR_MODEL),
    _refuses(
        r"\bje (?:ne (?:peux|puis)(?: malheureusement)? pas|ne suis pas en mesure d(?:e |')|"
        r"suis incapable d(?:e |')) ?(?:vous |t'|te |y |de )?"
        r"(?:aider|assister|répondre|fournir|donner suite|satisfaire|accéder à (?:votre|cette))",
    ),
)

_ES_MODEL = r"(?:ia|inteligencia artificial|modelo de lenguaje|asistente virtual)\b"
_ES = (
    _model(r"\bcomo (?:una? )?(?:\w+ )?", _ES_MODEL, r"[^.!?]{0,60}\b(?:no|yo|mi|puedo|tengo)\b"),
    _model(r"\bsoy (?:solo |sólo |solamente )?una? ", _ES_MODEL),
    _refuses(
        r"\bno (?:puedo|podré|me es posible) (?:ayudar|asistir|responder|proporcionar|brindar|"
        r"cumplir|ofrecer|atender|hacer (?:eso|esto))",
    ),
)

_ZH_MODEL = r"(?:ai|人工智能|大?型?语言模型|智能助手)"
_ZH = (
    _model(r"作为(?:一[个款名])?", _ZH_MODEL, r"[^。！？]{0,20}我"),
    _model(r"我(?:只)?是(?:一[个款名])?", _ZH_MODEL),
    _refuses(
        r"我(?:无法|不能|没办法|没有办法)(?:[为向给][您你]|直接)?",
        r"(?:提供|回答|帮|协助|满足|完成[您你这])",
    ),
)

PHRASES: dict[Language, tuple[Pattern, ...]] = {
    "en": _EN,
    "de": _DE,
    "fr": _FR,
    "es": _ES,
    "zh": _ZH,
}
"""Language → (reason code, pattern), tried in order."""
