"""Words that people of every language write."""

from __future__ import annotations

from app.rules.words.lexicon import Lexicon

INTERNATIONAL = Lexicon(
    language="*",
    courtesy="thx, thanks, thank you, ty, tysm, tnx, hi, hello, hey, hallo, merci, arigato, arigatou, grazie",
    filler="""
        100%, 0.0, ok, okay, cool, super, top, wow, perfect, bravo, yay, yeah, yes, great, nice, mega, team, support
        update, app
    """,
    trouble="error, bug, bugs",
    doubt="""
        lol, lmao, rofl, haha, hahaha, hehe, xd, jaja, jajaja, kkk, rsrs, mdr, ptdr, w, 笑, 草, fail, epicfail
        sarcasm, irony, ironie, ironia
    """,
    unsettled="jk, j k, edit",
    stop_if_alone="stop, stopp, unsubscribe, opt out, optout",
)
