"""English."""

from __future__ import annotations

from app.rules.words.lexicon import Lexicon

_BUGS = "problem|problems|issue|issues|bug|bugs|error|errors|crash|crashes|glitch|glitches"
_FAILS = "crashes|crashing|freezes|freezing|hangs|hanging|fails|failing|broken|stuck|lagging|buggy|down"
_USE = "load|open|launch|log in|login|sign in|export|import|sync|save|upload|print|play|log on"
_USED = "loads|opens|launches|logs in|exports|imports|syncs|saves|uploads|prints|plays|connects"
_WELL = "fine|great|perfectly|well|properly|correctly|smoothly|flawlessly|nicely|normally|beautifully|ok|okay|good"
_PRAISED = "great|awesome|amazing|the best|wonderful|fantastic|brilliant"

ENGLISH = Lexicon(
    language="en",
    works=f"""
        works, working, is working, are working, works for me, [yes |] it does work [now|again|]
        [all|both] work [now|again]
        [that|this|update|patch|fix|version|release] [did it|worked], did the trick
        no more [{_BUGS}|crashing|freezing|freezes|hangs|error messages]
        [no longer|doesn't|does not|isn't|is not|it's not|not] [{_FAILS}|crash|freeze|hang|fail] [anymore|any more|any longer]
        [has |] stopped [crashing|freezing|hanging|failing|lagging], no longer [{_FAILS}]
        [notifications|messages|photos|files|videos|sound|audio|video|dark mode|sync] [is|are] [finally |] back
        [are |is |] [coming|going] through [again|now|fine]
        [notifications|messages|emails] are coming in [again|now], back to normal, up and running, good as new
        as good as new
        [all|everything is|everything's|it's all|it's|it is|all is] [good|fine|well] [now|again]
        [good|fine] [now|again]
        [{_USED}|loading|opening|syncing|saving|printing|playing|running|runs] [just |perfectly |really |] [{_WELL}] [again|now|]
        [{_USED}] [again|now]
    """,
    fixed="""
        fixed, resolved, solved, sorted, sorted out
        [is|are|it's|got|has been|have been|been] [now |finally |all |] [fixed|resolved|solved|sorted]
        [you|that|this|it|update|patch|fix|version|release] [has |have |finally |really |] [fixed|solved|resolved|sorted] [it|this|that|everything|]
    """,
    gone="""
        gone, disappeared, vanished, cleared up, went away, gone away, is gone, are gone, has gone, have gone
        has disappeared
    """,
    can="can, i can, we can, able to, i'm able to, i was able to, i'm finally able to, lets me, it lets me",
    works_if_now="all good, all is well",
    now="now, again, finally, at last, once again, at long last",
    work="work",
    use=f"""
        {_USE.replace("|", ", ")}, {_USED.replace("|", ", ")}, start, starts, connect, use it, access it, open it
        use the app, open the app, logging in, access, use, view, watch, listen, stream
    """,
    broken="""
        [not|isn't|is not|hasn't been|has not been|aren't|are not|never] [really |actually |] [fixed|resolved|solved|sorted]
        unfixed, no fix here, far from fixed, anything but fixed
        same [old |exact |] [problem|issue|error|bug|crash|behavior|behaviour|error message]
        [exactly |] the same as before, same as before, no better
        [broken|crashes|crashing|failing|freezing|down] again, stopped working again, broke again
        [problem|problems|issue|issues|bug|bugs|error|errors] [persists|persist|remains|remain], [bug|error] is back
        [nothing|nothing's|nothing has] [has |] changed, no [change|difference|improvement] [here|at all|for me|]
        [doesn't|does not|hasn't] [fix|solve|help] [it|this|that|anything|a thing|the problem|the issue|the bug|my problem|my issue]
        [fix|update|patch|version|release] [doesn't|does not] [work|help|fix anything|fix it|change anything]
        [keeps|keep] [on |] [crashing|failing|freezing|hanging|happening|logging me out|disconnecting]
        continues to [crash|fail|freeze|happen]
        still [happening|happens|present|exists|the same problem|the same error|the same issue|the same bug|the same thing|the same crash|same thing|persists|occurs|occurring|the case|dead|bad|an issue|a problem|seeing it|seeing this|getting it|getting this|doing it|doing this|does it]
        still no [sound|audio|picture|video|image|images|notifications|luck|change|difference|improvement|success|connection|login|access|fix|go|joy|result|results|response|data|dice|good]
        [even |much |way |] worse than [before|ever], made it [even |] worse
        still [seems|seems to be|appears] [broken|to be broken|to crash], [seems|appears] to be still broken
        [doesn't|does not|don't] [seem|appear] to [work|be working|be fixed]
        [doesn't|does not] [seem|look|feel] fixed
    """,
    fails="nothing [works|is working|loads|opens], still there, still in there",
    fails_if_alone=f"""
        same thing, the same thing, still the same, still same, same result, the same, same, exactly the same
        {_FAILS.replace("|", ", ")}, crashed, froze, busted, unusable, useless, worse, even worse, much worse
        not good, no good, no luck
        [didn't|did not|hasn't] [work|worked|help|helped|fix it|fix anything|fix the problem|fix the issue|change anything|solve it|solve the problem|solve anything]
        [doesn't|does not|won't|isn't|is not] do anything
    """,
    trouble=f"""
        {_BUGS.replace("|", ", ")}, [problem|problems|issue|issues|bug|error|trouble] with [the|my|this|that|your]
        error message, error messages, failure, failures
    """,
    still="""
        still
        still [get|getting|see|seeing|have|having|shows|showing|show|says|gives|giving|throws|throwing|receive|receiving] [me |us |] [the |an |a |this |that |]
        still [is|it is|it's|there is|there's|there are|a|an|the|got|experiencing|encountering|facing|full of]
        continues to
    """,
    still_not="""
        still not, still nothing, still isn't, still aren't, still doesn't, still does not, still don't
        still is not
    """,
    not_="""
        not, doesn't, does not, dosn't, doesen't, dosent, don't, do not, isn't, is not, aren't, are not, ain't
        can't, cannot, can not
        won't, will not, never, no longer, not even, nothing, hardly, barely, unable to, fails to, refuses to
        neither
    """,
    no="no, nope, nah",
    none="""
        nobody, none, nor, without, didn't, did not, wasn't, weren't, couldn't, hasn't, haven't
        shouldn't, wouldn't, no one, nowhere, noone
    """,
    small="""
        really, actually, simply, just, for me, for us, here, on my end, on my side, on our end, on our side
        at my end, over here, properly, correctly, being, been, be
    """,
    spoiler="""
        is, are, has, have
        on my [phone|iphone|ipad|android|pixel|samsung|galaxy|laptop|mac|macbook|pc|tablet|computer|device|tv]
        on [android|ios|iphone|ipad|windows|mac|linux], yet, even, quite, at all, unfortunately, sadly, alas, sorry
        i'm afraid, anymore, any more, any longer, damn, ugh, please, pls, plz
    """,
    but="but, however, except, except for, only, apart from, other than, besides, instead",
    although="although, though, even though, even after, despite, in spite of, tho",
    join="and, plus",
    asks="""
        can i, can we, can it, does it, does this, does that, does the, do i, do you, do we, is it, is that, is this
        is the, are you, are we, did it, did you
        has it, has this, has the, have you, can you, could you, would you, will it, will you, will the, when will
        when do
        what, what's, what about, how, how's, how long, how about, why, who, where, which, any news, any update
        any updates, any idea
        should i, should it, do i need
    """,
    yes_no_tag="right, correct, isn't it, or not, or what, or is it, doesn't it, huh, eh, or, true",
    doubt=f"""
        if, whether, unless, as long as, in case, maybe, perhaps, probably, possibly, might, may, could, should
        would, hope, hopefully, hoping, wish
        think, thought, guess, believe, suppose, supposed to, supposedly, apparently, allegedly, seems, seem
        seems to, looks like, looks, feels like, sounds like
        not sure, idk, don't know, dunno, wonder, wondering, unsure, not certain, can't tell, hard to tell
        hard to say, can't say, cannot say, can't believe, cannot believe
        yesterday, last week, last night, last month, this morning, earlier, previously, before, used to, had been
        until, till, ago, the other day
        was, were, had, in the past, tomorrow, later, tonight, soon, next week, this weekend, this evening
        after work, in a bit, in a minute
        sometimes, occasionally, most of the time, mostly, partly, partially, partial, almost, nearly, half, halfway
        some, so far, for now, at the moment, currently, for the moment
        now and then, now and again, on and off, off and on, not always, not only, not just, not bad, not too bad
        not everything, not all, not everyone, not everywhere, not every time, so so
        my colleague, my colleagues, my wife, my husband, my friend, my friends, my boss, my brother, my sister
        my mom, my mum, my dad, my coworker, my co worker, my son, my daughter
        a friend, a colleague, others, other people, someone, somebody, some people, they, they're, he, she, he's
        she's, for you, everyone else, people
        [old|other|second|previous] [phone|device|version|computer|laptop|tablet|one|app]
        still waiting, still working on, still hoping, still love, still use, still using, still need, still want
        still don't know, still not sure, still think, still wonder
        of course, sure, as if, oh great, oh wow, how nice, what a surprise, yeah yeah, yeah right, you wish
        in theory, on paper
        i'm good, i'm fine, we're good, we're fine, working on it, [i'm|we're|you're|they're|i am|we are] working on
        i work, i fixed, we fixed, i solved, we solved, i resolved, i sorted, i've fixed, i've solved
        fixed it myself
        no [{_BUGS}] [is |are |was |were |got |have been |has been |] [fixed|solved|resolved|sorted|gone]
        [still |] [the |] same [great|good|awesome|excellent|amazing|lovely], no worse, not that, don't worry, it's not that, not because, not to mention, stop saying, don't say, don't tell me
        fake
    """,
    hearsay="""
        says, said, say, told, tells, heard, told me, tells me, i read, read that, according to, claims
        reports that
    """,
    unsettled="""
        [haven't|have not|didn't|did not|couldn't|can't|cannot|can not|unable to|not been able to|yet to|have yet to|still have to|have to|need to|must|gotta|going to|gonna|about to] [yet |] [tried|tested|checked|updated|installed|try|test|check|update|install|verify|upgrade|upgraded|had time|had a chance|downloaded] [it|this|that|]
        [still |] not [tested|tried|updated|checked|installed] [yet|], untested, not had a chance
        no chance to [test|try|check]
        [will|i'll|we'll|i will|we will|gonna|let me|lemme|i'm going to|i am going to|shall] [try|test|check|see|look|report|update|let you know|give it|have a look|take a look|get back|find out|verify|download|install|be trying|be testing]
        trying it now, trying now, testing now, testing it now, updating now, updating it now, just updating
        currently updating, downloading it now, downloading now, installing now, installing it now, when i'm home
        when i get home
        [i'm|i am|we're|we are] working, im working
        kidding, just kidding, joking, just joking, only joking, never mind, nevermind, nvm, oh wait, wait
        scratch that, my bad, my mistake, my fault, i was wrong, false alarm, correction, take that back, hold on
        wrong account, wrong person, wrong thread, not me, wasn't me, deleted it, uninstalled it, uninstalled
        switched to, deleted the app, gave up, given up, cancelled, canceled, moved on
    """,
    courtesy=f"""
        [thanks|thank you|thx] [so much|very much|a lot|a ton|a million|again|everyone|all|guys|folks|team|again guys|]
        [many|huge|big] thanks, kudos, props, so much, thank you all
        for [the |your |this |that |such a |] [quick |fast |great |speedy |prompt |super quick |super fast |amazing |swift |really quick |] [fix|help|support|update|response|reply|work|patch|turnaround|info|heads up|effort|follow up|service|action]
        for [fixing|sorting|solving|resolving] [it|this|that|the problem|the issue|the bug|everything] [so quickly|so fast|quickly|]
        for jumping on [it|this] [so fast|so quickly|], for taking care of [it|this|that]
        for looking into [it|this|that], for being [so quick|so fast|so responsive], for fixing, for letting me know
        for getting back [to me|], for listening, for everything, for asking, for following up
        many thanks, so much
        hi, hello, hey, hi there, hey there, hey guys, hi guys, hey team, hi team, hello team, good morning
        good evening, dear team
        cheers, cheers guys, much appreciated, appreciated, appreciate it, i appreciate it, we appreciate it
        really appreciate it, appreciate the [help|fix|quick fix|quick response]
        kudos to the [team|dev team|devs|developers], kudos to you, shout out to the team, thumbs up
        props to the team, hats off, keep it up, keep up the [good|great] work
        well done
        [good|great|nice|amazing|awesome|fantastic|excellent|top notch|stellar|superb|brilliant] [job|work|stuff|service|support|team|fix|update]
        you guys [rock|are legends|are the best], you [rock|are legends|are a legend|legends|legend]
        [you're|you are|you guys are] [a star|a lifesaver|a legend|a life saver|stars|legends|{_PRAISED}]
        love you, love you guys, love it, love this, love the app, love this app, best regards, regards
        have a [nice|great|good] [day|one|weekend|evening], take care, bless you, god bless
    """,
    filler=f"""
        it, it's, it is, it has, that's, that is, this, that, this is, i, i'm, i am, we, we're, me, my, our, us, the
        a, an, your, everything, everything's, everything is, all, both
        [i|i've|i have|we|we've|we have|] [just |now |] [updated|upgraded|tested|tried|checked|installed|reinstalled|verified|confirmed|downloaded|retested|restarted|rebooted] [it |this |] [again|now|]
        [i|i've|we|] [just |] [updated|upgraded] to, updating to, [in|on|with|since|as of|version] 0.0
        after [updating|the update|the fix|the patch|the latest update|an update|update|the last update|upgrading|installing the update|the new update|reinstalling]
        [since|with|on|in|thanks to] [the|this|your|that] [new |latest |last |] [update|version|release|fix|patch]
        since updating, with the new one, on latest
        [can|i can|we can|i] confirm [that |] [it |it's |it is |this |], [happy|glad|pleased] to [confirm|report]
        confirming
        confirmed, verified, tested, checked, indeed
        tested on [both|all|two|three|several] [devices|phones|machines|accounts|computers], on [both|all]
        on both devices, on all devices, on all my devices
        {_WELL.replace("|", ", ")}, {_PRAISED.replace("|", ", ")}, excellent, lovely, sweet, perfect, beautiful
        superb, neat, hooray, woohoo, oh nice, ooh, ah, woo, yippee, hallelujah, omg, oh my god, phew, at long last
        finally a fix
        like a charm, like a champ, like new, as advertised, like a dream, a treat, like magic, like clockwork
        as expected, as it should, just fine, perfectly fine, super well, very well, really well, so well, very good
        without [a problem|problems|any problems|issues|any issues|errors|any errors|crashing|a hitch|any problem|any issue|a glitch]
        no [problems|issues|errors|problem|complaints|glitches] [at all|]
        quick, quickly, so fast, that was fast, that was quick, super fast, right away, immediately, instantly
        straight away
        very, much, too, also, totally, completely, absolutely, definitely, fully, for real, as well
        yes, yep, yup, yeah, yea, ya, aye, yes it is, yes it does, yes sir, it does, it is now, hurray
        so happy, i'm happy, i'm so happy, very happy, happy, happy now, i'm glad, so glad, glad, great news
        good news, happy camper, happy customer, happy user, made my day, you made my day, what a relief
        such a relief, relief, relieved, lifesaver, life saver
        case closed, you can close [this|it|the ticket], can be closed, feel free to close, consider it closed
        new, latest, guys, folks, devs, dev team, developers, everyone, everybody, man, dude, mate, friends, y'all
        team
        fixed [version|build|release|app|one], fix, patch, release, version, build, hotfix
    """,
    thing="""
        site, website, webpage, page, export, import, login, sign in, signin, logging in, login page, upload
        uploads, download, downloads, sync, syncing, search, filter, filters, button, buttons, menu, dark mode
        video, videos, audio, sound, picture, pictures, photos, images, image, camera, microphone, notifications
        notification, push notifications, messages, chat, calendar, dashboard, editor, player, playlist
        payment, payments, checkout, cart, order, account, password reset, settings, profile, map, maps, widget
        widgets, plugin, extension, api, integration, printing, print, scan, scanner, backup, keyboard, screen
        link preview
        csv, pdf, excel, file, files, exports, imports, report, reports, invoice, invoices, table, list, feed
        timeline, comments, thing, things, stuff, function, feature, functionality, software, program, tool
        bluetooth
        subscription, email, emails, shortcut, shortcuts, offline mode, graph, chart, charts, form, forms, tab, tabs
        data, screenshots, copy, paste
    """,
    stop="""
        leave [me|us] alone
        [stop|quit] [contacting|messaging|tagging|texting|replying to|writing to|writing|spamming|pinging|bothering|harassing|mentioning|emailing|annoying|following|answering|dming|bugging] [me|us]
        stop [replying|spamming|this spam|the spam|these messages|these replies|tagging|messaging|sending me|sending these|sending messages|with the messages|with these messages|with the replies|the messages|the replies|auto replying|asking me]
        [don't|do not|never] [ever |] [contact|message|tag|text|reply to|write to|write|ping|bother|mention|email|dm|answer|talk to] me [again|anymore|any more|]
        [unsubscribe|remove|take|opt] me [from|off|out|please], i want to opt out, i'd like to opt out
        please unsubscribe, unsubscribe please, unsubscribe me
        no more [messages|replies|tagging|mentions|tweets|pings|bots] please
        fuck off, piss off, bugger off, get lost, shut up, stop it please
        [don't|do not] want [your|these|any more|more|any] replies
        don't want your messages, do not want your messages, don't want these messages, blocking you
        reported for spam, reported as spam, stop bot, get off my [timeline|feed|mentions]
    """,
    stop_if_alone="""
        stop it, stop this, stop now, enough, quit it, quit, go away, cease, mute
        no more [messages|replies|tagging|mentions|tweets|pings|bots]
        [do not|don't] reply, remove me, cease and desist, no bots, no [automated|automatic] [replies|messages]
        [do not|don't] want [any |] [automated|automatic|auto] [replies|messages|answers]
        [do not|don't] want to [receive|get] [these|this|your|any|any more|more] [replies|messages]
        [want|would like|i'd like] to unsubscribe
        stop [this bot|your bot|the bot|the bots|with the bot replies|the bot replies]
    """,
)
