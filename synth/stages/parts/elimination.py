"""When an evolved text is thrown away: the elimination rules of Evol-Instruct.

All but one need no model and are here whole. Method: Xu et al., "WizardLM: Empowering Large
Language Models to Follow Complex Instructions" (2023), section 3.2, "Elimination Evolving";
`evolution_failure`: Zeng et al., "Automatic Instruction Evolving for Large Language Models" (2024).
"""

from __future__ import annotations

import re

from pydantic import Field

from synth.frozen import Frozen

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_ASKS_BACK = re.compile(
    r"\A(?:understood|thank you|what|that is correct|that's correct|great|sure)\b.*\?\Z"
    r"|please provide",
    re.IGNORECASE | re.DOTALL,
)
_STOP_WORDS = """
a about above after again against all also am an and any are aren't as at be because been before
being below between both but by can can't could couldn't did didn't do does doesn't doing don't done
down during each either few for from further had hadn't has hasn't have haven't having he he'd he'll
he's her here hers herself him himself his how i i'd i'll i'm i've if in into is isn't it it'd it'll
it's its itself just let's may me might more most must my myself neither no nor not now of off on
once only or other our ours ourselves out over own same shall she she'd she'll she's should
shouldn't so some such than that that's the their theirs them themselves then there these they
they'd they'll they're they've this those through to too under until up very was wasn't we we'd
we'll we're we've were weren't what what's when where which while who who's whom whose why will with
won't would wouldn't you you'd you'll you're you've your yours yourself yourselves
"""


class Elimination(Frozen):
    """Which rules hold, and what they look for."""

    no_information_gain: bool = True
    """Drop a text that a judge finds equal to the one before; costs a call for each."""
    short_apology: bool = True
    """Drop a reply with one of `apologies` in fewer than `apology_below_words` words."""
    no_content: bool = True
    """Drop a reply that is nothing but punctuation and `stop_words`."""
    prompt_leak: bool = True
    """Drop a text with one of `leak_markers` that the text before it does not have."""
    evolution_failure: bool = False
    """Drop a reply that asks back: it begins with thanks, agreement, "what" or "sure" and ends with
    a question, or says "please provide" (Auto Evol-Instruct)."""
    apologies: tuple[str, ...] = ("sorry",)
    """Words of an apology, in any case."""
    apology_below_words: int = Field(default=80, ge=0)
    """A reply of so many words may apologise."""
    stop_words: tuple[str, ...] = tuple(_STOP_WORDS.split())
    """Words without a meaning of their own, in lower case; by default English ones."""
    leak_markers: tuple[str, ...] = (
        "given prompt",
        "rewritten prompt",
        "created prompt",
        "rewritten instruction",
        "rewritten text",
        "rewritten reply",
        "<instruction>",
        "</instruction>",
        "<reply>",
        "</reply>",
    )
    """Words of prompts, in any case; name those of your own prompts here."""

    def leak(self, evolved: str, before: str) -> str:
        """Return why an evolved text is dropped as a leak, as `code: sentence`, or nothing."""
        lowered, known = evolved.lower(), before.lower()
        for marker in self.leak_markers if self.prompt_leak else ():
            if marker.lower() in lowered and marker.lower() not in known:
                return f"prompt_leak: the text repeats {marker!r} from the prompt"
        return ""

    def unfit(self, reply: str) -> str:
        """Return why a reply is dropped, as `code: sentence`, or nothing."""
        words = len(reply.split())
        said = next((word for word in self.apologies if word.lower() in reply.lower()), "")
        if self.short_apology and said and words < self.apology_below_words:
            wanted = f"wants at least {self.apology_below_words} around an apology"
            return f"short_apology: the reply says {said!r} in {words} words, {wanted}"
        if self.no_content and not self._has_content(reply):
            return "no_content: the reply is only punctuation and stop words"
        if self.evolution_failure and _ASKS_BACK.search(reply.replace("’", "'")):
            return "evolution_failure: the reply asks back instead of answering"
        return ""

    def _has_content(self, reply: str) -> bool:
        said = _WORD.findall(reply.lower().replace("’", "'"))
        return not {*said} <= {*self.stop_words}
