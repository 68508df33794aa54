"""German. Umlauts are also found as two letters (läuft, laeuft) and without their dots (lauft)."""

from __future__ import annotations

from app.rules.words.lexicon import Lexicon

_FIXED = "behoben|gefixt|gefixed|gelöst|repariert|korrigiert|geklärt|gerichtet|bereinigt"
_GOOD = "gut|super|prima|bestens|perfekt|einwandfrei|tadellos|reibungslos|problemlos|wunderbar|hervorragend|fehlerfrei|störungsfrei"
_PROCESS = (
    "update|download|export|import|upload|sync|backup|installation|scan|druck|test|synchronisierung|synchronisation"
)
"""What runs (läuft) while it is under way as well as when it works."""
_NOW = "jetzt|wieder|nun|endlich|jetzt wieder|jetzt endlich|endlich wieder|bei mir"
_BUG = "problem|fehler|bug|absturz"

GERMAN = Lexicon(
    language="de",
    works=f"""
        funktioniert, funktionierts, klappts, funktionieren [jetzt|wieder|jetzt wieder|beide|alle], klappt
        klappen [jetzt|wieder], funzt, funzt alles, hat [geklappt|funktioniert|geholfen], hats geklappt
        [stürzt|stürzen|schmiert] [{_NOW}|] nicht mehr ab
        [hängt|hakt|crasht|spinnt|ruckelt|friert] [{_NOW}|] nicht mehr [ein|]
        [kein|keine] [absturz|abstürze|fehler|fehlermeldung|fehlermeldungen|probleme|problem|crash|crashes|bugs] mehr
        [{_NOW}|] nicht mehr [kaputt|defekt|fehlerhaft]
        alles [jetzt|wieder|nun|endlich|jetzt wieder|endlich wieder] [gut|ok|okay|in ordnung|im lot|bestens|paletti|normal]
        [jetzt|wieder|nun|endlich|jetzt wieder|endlich wieder] alles [gut|ok|okay|in ordnung|im lot|bestens|paletti|normal]
        [{_PROCESS}] läuft [jetzt |nun |endlich |] wieder
        läuft [der|das|die] [{_PROCESS}] [jetzt |nun |endlich |] wieder
        [läuft|geht] [{_GOOD}] [{_NOW}], [läuft|geht] [{_NOW}] [{_GOOD}], läufts [{_NOW}|] rund
        läuft [es |] [{_NOW}] rund, läuft [{_GOOD}|rund|wie geschmiert|wie am schnürchen|wie eine eins]
        [läuft|geht] [wie geschmiert|wie am schnürchen|wie eine eins], wieder in ordnung, jetzt in ordnung
        ist in ordnung [jetzt|wieder]
        [lädt|startet|öffnet|speichert|synchronisiert|druckt|exportiert|importiert|verbindet] [sich |] [jetzt wieder|wieder|endlich wieder|{_GOOD}]
    """,
    fixed=_FIXED.replace("|", ", "),
    gone="""
        weg, verschwunden, beseitigt, vom tisch, geschichte
        nicht mehr [da|vorhanden|zu sehen|aufgetreten|vorgekommen]
    """,
    can="kann, können, konnte mich, lässt sich, kann man",
    works_if_now="""
        geht, gehts, läuft, läufts, tut, passt, alles gut, alles ok, alles okay, alles in ordnung, in ordnung
    """,
    now="jetzt, jetz, jz, nun, wieder, endlich, mittlerweile, inzwischen",
    work="funktionieren, klappen, laufen, gehen, gehn",
    use="""
        lädt, startet, öffnet, speichert, synchronisiert, druckt, exportiert, importiert, verbindet, öffnen, starten
        laden
        einloggen, anmelden, exportieren, importieren, drucken, speichern, hochladen, zugreifen, reagiert
        reingekommen, rein, nutzen, benutzen
    """,
    broken=f"""
        nicht [{_FIXED}], keine [änderung|besserung|verbesserung|veränderung]
        [hat sich|sich] [leider |] nichts [geändert|getan|verändert|gebessert], nichts [geändert|getan|verändert]
        [der|den|das|die|genau der|genau das|genau die|immer noch der|immer noch das] [gleiche|gleichen|selbe|selben] [fehler|problem|bug|mist|meldung|fehlermeldung|verhalten]
        [derselbe|dasselbe|dieselbe|denselben] [fehler|problem|bug|mist|meldung|fehlermeldung|verhalten]
        [gleicher|gleiches|selber|selbes|gleiche] [fehler|problem|bug|meldung|fehlermeldung|mist]
        [immer noch|noch immer|weiterhin|nach wie vor|noch] [das gleiche|dasselbe|vorhanden|der fall|dasselbe problem|das problem|schlecht|tot|im eimer]
        [problem|fehler|bug] besteht [immer noch|noch immer|weiterhin|nach wie vor|noch|fort|leider weiterhin]
        besteht [immer noch|noch immer|weiterhin|nach wie vor|fort]
        [bug|fehler|problem] [ist |ist leider |] [noch|immer noch|noch immer|nach wie vor|weiterhin] [da|vorhanden]
        tritt [immer noch|noch immer|weiterhin|nach wie vor|wieder] auf
        kommt [immer noch|noch immer|weiterhin|nach wie vor] [der fehler|die meldung|die fehlermeldung|eine fehlermeldung]
        [stürzt|stürzen|schmiert] [bei mir |leider |] [immer noch|noch immer|weiterhin|nach wie vor|immernoch|ständig|wieder|schon wieder] ab
        [wieder|schon wieder|erneut] [kaputt|abgestürzt|defekt]
        [schlimmer|schlechter] als [vorher|zuvor|je zuvor|davor], noch [schlimmer|schlechter]
        genauso [kaputt|schlecht|schlimm], genau wie vorher, bleibt [kaputt|bestehen]
        geht gar nichts, funktioniert gar nichts, fix [hilft|funktioniert|greift|wirkt] nicht
        update [hilft|bringt] nichts, update hilft nicht
        scheint [immer noch|noch immer|weiterhin] nicht zu [funktionieren|gehen|klappen]
    """,
    fails="[immer noch|noch immer|weiterhin|nach wie vor|noch] [da|so|gleich]",
    fails_if_alone="""
        dasselbe, das gleiche, genau dasselbe, genau das gleiche, alles beim alten
        kaputt, defekt, stürzt ab, stürzt, abgestürzt, hängt, hängt sich auf, crasht, spinnt, ruckelt, schlimmer
        schlechter, unbrauchbar, fehlerhaft, im eimer
        hat [leider |] nicht [geklappt|funktioniert|geholfen]
        hat [leider |] [nichts gebracht|nichts geholfen|nix gebracht], bringt [nichts|nix], hilft [nicht|nichts|nix]
        passiert [nichts|nix], tut sich [nichts|nix], fehlanzeige, keine chance
    """,
    trouble="""
        fehler, fehlermeldung, fehlermeldungen, problem, probleme, absturz, abstürze, crash, crashes, macken
        aussetzer, störung
    """,
    still="""
        unverändert
        immer noch, noch immer, immernoch, weiterhin, nach wie vor, noch, schon wieder, ständig, immer noch der
        immer noch die, immer noch diesen, kommt immer noch
    """,
    still_not="""
        immer noch nicht, noch immer nicht, immernoch nicht, immer noch nich, weiterhin nicht, nach wie vor nicht
        immer noch nix, immer noch nichts, noch immer nichts, nach wie vor nichts
        aber immer noch nicht, aber leider immer noch nicht, aber weiterhin nicht, aber noch immer nicht
        immer noch net, immer noch ned, immer noch nicht so
    """,
    not_="""
        nicht, nich, net, ned, nichts, nix, nie, niemals, gar nicht, garnicht, gar nichts, überhaupt nicht
        überhaupt nichts, nicht mehr, nichts mehr, gar nichts mehr, gar nicht mehr, gar nicht erst
        aber nicht, aber leider nicht, aber trotzdem nicht, noch nicht, auch nicht, einfach nicht, nicht wirklich
        kaum, nicht mal, nicht einmal
    """,
    not_after=True,
    no="nö, nope, nein, nee, ne",
    none="kein, keine, keinen, keiner, keinem, keines, ohne, weder, niemand, nirgends, von wegen",
    small="""
        bei mir, bei uns, hier, richtig, korrekt, ordentlich, wirklich, einfach, es, das, so, mal, ja, auch, damit
        hier bei mir, mich, sich, mir, uns
    """,
    spoiler="""
        tut mir leid
        auf meinem [handy|iphone|ipad|android|pixel|laptop|mac|macbook|pc|rechner|tablet|samsung|smartphone|gerät]
        auf [android|ios|windows|mac|linux], unter [windows|android|ios|linux], leider, doch, trotzdem, dennoch
        schade, wie vorher, wie zuvor, wie immer, wie gehabt, wie früher, bitte, sorry, mehr, ab, überhaupt, gar
        ebenfalls, wieder mal, schon
    """,
    but="aber, jedoch, allerdings, nur, außer, bis auf, sondern, dafür, hingegen, stattdessen, lediglich, bloß",
    although="""
        obwohl, trotz
        trotz [update|neuinstallation|neustart|aktualisierung|neuester version|der neuen version|mehrfachem neustart]
        selbst nach, auch nach, obwohl ich, auch wenn, selbst mit
    """,
    join="und, u, sowie",
    asks="""
        warum, wieso, weshalb, wann, wie, was, wo, wer, welche, welcher, welches, habt ihr, könnt ihr, könntet ihr
        könnten sie, können sie, haben sie
        kann man, gibt es, gibts, soll ich, muss ich, seid ihr, sind sie, wird es, wird das
    """,
    asks_first="""
        [funktioniert|geht|läuft|klappt|tut] [es|das|der|die|dein|deine|euer|eure|ihr|denn|dies|jetzt es|jetzt das|jetzt die|jetzt der]
        gehts, funktionierts, klappts, läufts, tuts
        ist [es|das|der|die|jetzt|nun], sind [die|jetzt], hat [sich das|es|das], habt, kann ich, bin ich
        läuft die app
    """,
    yes_no_tag="oder, gell, nicht wahr, stimmts, wa, oder nicht, oder was, oder doch nicht",
    doubt=f"""
        [{_PROCESS}] läuft [jetzt|nun|gerade|grad|endlich|], läuft [der|das|die|gerade|noch] [{_PROCESS}]
        mir geht es, mir gehts, geht es mir, es geht mir, uns geht es, passt mir
        kein [problem|fehler|bug] [ist |wurde |wird |] [jetzt |] [{_FIXED}]
        keine [probleme|fehler] [sind |wurden |] [{_FIXED}]
        [app|konto|daten|export|login|alles andere] auch
        wenn, falls, sofern, solange, ob, vielleicht, evtl, eventuell, möglicherweise, wahrscheinlich, vermutlich
        könnte, sollte, müsste, würde, wäre, dürfte, kann sein
        hoffe, hoffen, hoffentlich, denke, denk, dachte, glaube, glaub, vermute, schätze, scheint, scheinen
        scheinbar, anscheinend, angeblich, offenbar, sieht so aus, sieht gut aus, gefühlt
        weiß nicht, keine ahnung, nicht sicher, unsicher, mal sehen, mal schauen, mal gucken, eigentlich
        theoretisch, im prinzip
        gestern, vorhin, letzte woche, früher, vorher, war, waren, hatte, hatten, damals, neulich, wurde, wurden
        bisher, bis jetzt, im moment, momentan, derzeit, zurzeit, erstmal, erst mal, fürs erste, vorerst, vorläufig
        aktuell
        manchmal, meistens, meist, teilweise, zum teil, teils, fast, beinahe, halb, halbwegs, einigermaßen
        ab und zu, hin und wieder, gelegentlich, mehr oder weniger, sporadisch
        nicht immer, nicht nur, nicht schlecht, nicht alles, nicht alle, nicht überall, nicht ganz, nicht jedes mal
        nicht bei allen, nicht besser, besser, los, nicht das, nicht dass
        kollege, kollegin, kollegen, freund, freundin, freunde, mann, frau, chef, chefin, sohn, tochter, mutter
        vater, bruder, schwester, jemand, andere, anderen, anderer, bekannter, nachbar
        bei dir, bei euch
        morgen, später, heute abend, nachher, bald, am wochenende, nächste woche, demnächst
        na klar, ja klar, klar doch, aber klar, jaja, ja ja, schön wärs, schön wär, na toll, na super, na prima
        na bravo, ganz toll, als ob, wer's glaubt, wers glaubt, haha, ironie, sarkasmus, tolle leistung
        geht so, geht klar, geht schon, geht doch, geht um, geht mir, läuft bei euch, läuft bei dir, so lala, naja
        na ja, selbst repariert, selber repariert, selbst gelöst, ich gehe
    """,
    hearsay="""
        sagt, sagen, sagte, gesagt, meint, meinte, gehört, laut, behauptet, heißt es, schreibt, erzählt, berichtet
    """,
    unsettled="""
        teste, teste ich, ich teste, teste es, teste das, testen wir
        [werde|werd|muss|muss noch|muss erst|will|wollte|kann erst|kann es erst|wir werden|werden] [es |das |ich es |ich das |ich |mal |gleich |noch |erst |] [testen|probieren|ausprobieren|prüfen|schauen|gucken|checken|updaten|aktualisieren|installieren|nachsehen]
        probiere, probier, probiers, probiere es, probier ich, schaue, schau, schaue mal, schau mal, gucke, guck
        guck mal, schaue ich, schau ich, checke, prüfe, lade gerade, lade mal, installiere, aktualisiere gerade
        update gerade
        [immer |] noch nicht [getestet|probiert|ausprobiert|aktualisiert|installiert|geschafft|dazu gekommen|dazugekommen|geschaut|geprüft|geupdatet|upgedatet]
        nicht [getestet|ausprobiert|dazu gekommen], ungetestet
        [konnte|konnten|kann] [es |das |ich es |ich |] [noch |] nicht [testen|prüfen|ausprobieren|probieren]
        keine zeit, komme erst, melde mich, meld mich, gebe bescheid, geb bescheid, sag bescheid, sage bescheid
        gebe euch bescheid, ich berichte, berichte dann, werde berichten
        quatsch, scherz, spaß, nur spaß, kleiner scherz, war nur spaß, moment, moment mal, warte, wartet, ach nein
        vergesst es, vergiss es, egal, mein fehler, falscher alarm, hab mich geirrt, habe mich geirrt, korrektur
        das update nicht, update [lädt|startet|öffnet|installiert] [sich |] nicht, kein update
        deinstalliert, gelöscht, gekündigt, gewechselt, hat sich erledigt, erledigt, falscher account, verwechselt
        aufgegeben, umgestiegen
    """,
    courtesy="""
        danke, dankeschön, danke schön, danke sehr, danke euch, danke dir, danke ihnen, danke nochmal
        danke nochmals, danke noch mal, danke vielmals, danke danke, vielen dank, vielen lieben dank, besten dank
        herzlichen dank, lieben dank, tausend dank, dank euch, 1000 dank, ganz vielen dank, recht herzlichen dank
        vielen vielen dank, thx, merci
        für [die|eure|ihre|deine|euren|den|das|ihren|] [schnelle |rasche |tolle |super |prompte |zügige |schnellen |tollen |super schnelle |flotte |] [hilfe|rückmeldung|antwort|lösung|reaktion|behebung|info|mühe|arbeit|unterstützung|fix|support|service|update|bugfix|einsatz|umsetzung|bearbeitung|reparatur|korrektur]
        fürs [fixen|beheben|reparieren|update|kümmern|lösen|bescheid geben|bescheid sagen|schnelle fixen|schnelle beheben|schnelle reagieren|schnelle antworten|schnelle update|schnelle lösen|reagieren|dranbleiben|nachfragen|reagieren]
        für alles
        hallo, hi, moin, servus, grüezi, hey, guten morgen, guten tag, guten abend, hallo zusammen, hallo team
        liebes team, hallo liebes team, lg, vg, mfg, viele grüße, liebe grüße, gruß, beste grüße, schöne grüße
        schönen tag, schönen tag noch, schönes wochenende, schönen abend, schönen abend noch
        weiter so, gut gemacht, gute arbeit, top arbeit, tolle arbeit, super arbeit, klasse arbeit, klasse support
        toller support, super support, toller service, super service, top service, spitzen support, respekt, hut ab
        daumen hoch, kompliment, an das [ganze |]team, an euch, ans team
    """,
    filler=f"""
        der, die, den, dem, ein, eine, mein, meine, meinem, meiner, euer, eure, dein, deine, ist, sind, ich, wir
        ihr, hab, habe, habs, haben, alles, alle, beide, beides, dass, dies, dieser
        {_GOOD.replace("|", ", ")}, toll, klasse, spitze, genial, großartig, fantastisch, geil, mega, hammer, cool
        sehr gut, tiptop, tip top, top, wie geschmiert, wie gewohnt, wie gewünscht, wie [es|sie|er|das] soll
        wie [es|sie|er|das] sein soll, wie am schnürchen, wie erwartet, wie eine eins, spitzenmäßig, hervorragende
        ohne probleme, ohne fehler, ohne abstürze, ohne absturz, keine probleme, kein problem
        also, ja, jap, jup, jep, jepp, jaa, jawoll, yo, jo, joa, jawohl, jawoll, genau, stimmt, tatsächlich, alles klar
        gerade, eben, grad, grade, soeben, heute getestet, gerade getestet, eben getestet
        getestet, aktualisiert, installiert, ausprobiert, probiert, geupdatet, upgedatet, update, geprüft
        neu gestartet, nochmal, noch mal, nochmals
        [nach|mit|seit|durch|dank|seit|ab] [dem|dem letzten|dem neuen|dem neuesten|dem heutigen|] [update|fix|bugfix|patch|release]
        [mit|in|seit|ab|unter|version] [der |] 0.0
        [mit|in|seit|ab] [der|] [neuen|neuesten|aktuellen|neusten|letzten] version, seit heute
        nach der aktualisierung, nach dem aktualisieren
        [freut mich|freu mich|freue mich|bin froh|bin begeistert|bin happy|bin glücklich|bin erleichtert|bin zufrieden] [sehr|]
        glücklich, erleichtert, zufrieden, begeistert, froh
        [kann|können] [ich |wir |es |das |] [nur |] bestätigen, kann ich bestätigen, bestätigt, bestätige, puh, juhu
        juhuu, hurra, yeah, yes, gott sei dank, zum glück, na endlich
        so schnell, das ging schnell, das ging aber schnell, ging schnell, ging ja schnell, schnell, sehr schnell
        super schnell, flott, sofort
        sehr, total, echt, absolut, vollkommen, komplett, vollständig, ganz, voll, neu, neue, neuen, neueste
        neuesten, version, leute, ihr lieben, jungs, team
        ihr seid [super|toll|klasse|spitze|die besten|großartig|genial|top|der hammer|mega|cool], tolles team
        super team, bestes team, ihr rockt, was für ein service
        fix, bugfix, patch, lösung, kann geschlossen werden, könnt ihr schließen, ticket kann zu
    """,
    thing="""
        app, export, import, login, anmeldung, anmelden, einloggen, seite, website, webseite, upload, download, sync
        synchronisierung, synchronisation, suche, filter, button, knopf, menü, video, videos, ton, bild, bilder
        foto, fotos, kamera, mikrofon
        benachrichtigungen, benachrichtigung, push, nachrichten, chat, kalender, zahlung, zahlungen, bezahlung
        bezahlen, warenkorb, bestellung, konto, account, passwort, einstellungen, profil, karte, karten, widget
        widgets, druck, drucken, scanner, scannen, backup, tastatur
        bildschirm, csv, pdf, als csv, als pdf, csv export, pdf export, excel, datei, dateien, bericht, berichte
        rechnung, rechnungen, tabelle, liste, kommentare, funktion, programm, software, bluetooth, abo, mail, mails
        email, emails, e mail, diagramm, formular, dunkelmodus, dark mode
        übersicht, anzeige, verbindung, wiedergabe, player, drucker, editor, dashboard, plugin, schnittstelle, api
        sachen, ding, teil, exportfunktion, druckfunktion, suchfunktion, speichern, hochladen, öffnen
    """,
    stop="""
        lass mich in ruhe, lasst mich in ruhe, lassen sie mich in ruhe, [lass|lasst] mich [einfach|endlich|doch|bitte|jetzt] in ruhe, [lass|lasst|lassen sie] mich in frieden
        [hört|hör|hören sie] auf [damit|mich|mir|zu schreiben|zu nerven|zu spammen|zu antworten]
        [schreib|schreiben sie|antworten sie|schicken sie] mir [bitte |] [nicht mehr|nichts mehr|nicht|keine nachrichten mehr|nie wieder]
        [kontaktieren sie|markieren sie|nerven sie|kontaktiere|markiere] mich [bitte |] [nicht mehr|nicht|nie wieder]
        bitte nicht mehr [anschreiben|kontaktieren|markieren|taggen|antworten|schreiben|melden]
        [will|möchte|wünsche] [ich |] keine [automatischen nachrichten|automatischen antworten|nachrichten|antworten|mails|weiteren nachrichten|weiteren antworten] [mehr|von euch|von ihnen|]
        keine [nachrichten|antworten|weiteren nachrichten] mehr bitte
        [bitte |] keine weiteren [nachrichten|antworten|benachrichtigungen] [bitte|mehr bitte]
        bitte keine [nachrichten|antworten|weiteren nachrichten|weiteren antworten] [mehr|]
        verpisst euch, verpiss dich, haut ab, hau ab, halt die klappe, haltet die klappe, nervt nicht
        meldet mich ab, bitte abmelden, bitte austragen, schluss damit, lasst das, bitte aufhören, lasst es sein
        lasst das sein
    """,
    stop_if_first="""
        [schreibt|antwortet|schickt] mir [bitte |] [nicht mehr|nichts mehr|nicht|keine nachrichten mehr|nie wieder]
        [kontaktiert|markiert|taggt|erwähnt|belästigt|nervt] mich [bitte |] [nicht mehr|nicht|nie wieder]
        mich [bitte |] nicht mehr [anschreiben|kontaktieren|markieren|taggen|erwähnen|belästigen]
    """,
    stop_if_alone="""
        [hört|hör] [bitte |endlich |] auf, mir zu [schreiben|antworten], mich anzuschreiben
        mich zu [kontaktieren|markieren|taggen|nerven|belästigen|erwähnen]
        abmelden, abbestellen, keine automatischen [antworten|nachrichten], aufhören, genug, es reicht, reicht jetzt, schluss, austragen, ruhe
    """,
)
