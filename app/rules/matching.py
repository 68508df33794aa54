"""Which issue is a post about? A first guess by shared words, rare ones counting more; a person decides."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

_WORD = re.compile(r"[^\W_]{2,}|\d+")
_STOP = frozenset(
    re.findall(
        r"\w+",
        """
        the and for with that this from not but are was you your our has have had when after since can cannot could
        would just all any its into out get got still please isn doesn won
        an as at be by do he if in is it me my no of on or so to up us we

        der die das und ist nicht mit auf ein eine einen seit bei ich wir am an da er es im so um zu
        les des est pas pour avec une que qui sur dans au ce de du en et il je la le ne ou un
        los las una con por del para al el en es la lo no se su un
        não uma com dos as ao da do em na no os se um

        http https www
        """,
    )
)
"""Words that say nothing about a problem: English, German, French, Spanish, Portuguese, and addresses."""
_ENOUGH = 0.12


@dataclass(frozen=True, slots=True)
class Match:
    """One candidate: its key, how alike it is (0 to 1), and the words that make it so."""

    key: int
    score: float
    words: tuple[str, ...]

    @property
    def why(self) -> str:
        """The reason, as a person reads it."""
        return f"shares {', '.join(self.words)}"


def words_of(text: str) -> list[str]:
    """The words that may tell one problem from another, folded; CJK runs as overlapping pairs."""
    without = re.sub(r"https?://\S+|@[\w.@-]+", " ", text.casefold())
    found: list[str] = []
    for word in _WORD.findall(without):
        if _is_unspaced(word):
            found.extend(word[i : i + 2] for i in range(max(len(word) - 1, 1)))
        elif word not in _STOP:
            found.append(_stem(word))
    return found


def _is_unspaced(word: str) -> bool:
    return any("\u3040" <= c <= "\u30ff" or "\u4e00" <= c <= "\u9fff" for c in word)


def _stem(word: str) -> str:
    """A rough stem: 'exports', 'exported' and 'export' meet; nothing short is cut."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=8192)
def _bag(text: str) -> frozenset[str]:
    """The words of a title; titles are asked for with every post, and seldom change."""
    return frozenset(words_of(text))


def best(text: str, candidates: Mapping[int, str], *, limit: int) -> list[Match]:
    """The candidates alike enough to show, the most alike first."""
    asked = frozenset(words_of(text))
    if not asked or not candidates:
        return []
    bags = {key: _bag(title) for key, title in candidates.items()}
    seen_in = Counter(chain.from_iterable(bags.values()))
    total = len(bags)
    weights = {word: (math.log(1 + total / (1 + seen_in[word])) + 0.2) ** 2 for word in (*seen_in, *asked)}

    def length(bag: frozenset[str]) -> float:
        return math.sqrt(sum(map(weights.__getitem__, bag))) or 1.0

    whole = length(asked)
    matches = []
    for key, bag in bags.items():
        common = asked & bag
        if not common:
            continue
        score = sum(map(weights.__getitem__, common)) / (whole * length(bag))
        if score >= _ENOUGH:
            shared = sorted(common, key=lambda word: (-weights[word], word))
            matches.append(Match(key, round(min(score, 1.0), 3), tuple(shared[:4])))
    return sorted(matches, key=lambda m: (-m.score, m.key))[:limit]
