"""French. Elided words are cut apart (l'export is l + export, n'est is n + est), as the tables' own are."""

from __future__ import annotations

from app.rules.words.lexicon import Lexicon

_FIXED = "réglé|résolu|corrigé|réparé|fixé|arrangé|rétabli|débloqué"
_BUG = "bug|bugs|problème|problèmes|souci|soucis|erreur|erreurs|plantage|plantages|crash|crashs"
_WELL = "bien|très bien|super bien|parfaitement|parfaitement bien|nickel|impeccable|impec|niquel|à merveille|comme il faut|comme sur des roulettes|sans problème|sans souci|sans soucis|correctement|normalement bien|du tonnerre"
_NOW = "maintenant|enfin|désormais|à nouveau|de nouveau|à présent"

FRENCH = Lexicon(
    language="fr",
    works=f"""
        fonctionne, fonctionnent [maintenant|à nouveau|bien|enfin], refonctionne, remarche, refonctionnent
        ça remarche
        [ça |] [marche|marchent|tourne] [{_NOW}|] [{_WELL}] [{_NOW}|], a [bien |] [marché|fonctionné], refonctionne
        [n'ai |ai |a |j'ai |] [vraiment |] plus [de|d'|aucun|aucune] [{_BUG}], plus [de|d'|aucun|aucune] [{_BUG}]
        [ne |ça ne |ça |] [plante|bug|bugue|bugge|beug|crash|crashe|rame|freeze|bloque] plus [du tout|]
        n'est plus [cassé|bloqué|en panne|buggé|planté]
        rentré dans l'ordre, tout est rentré dans l'ordre, revenu à la normale, retour à la normale
    """,
    fixed=f"""
        {_FIXED.replace("|", ", ")}, réglée, résolue, corrigée, réparée, réglés, résolus, corrigés, corrigées
        [a|ont] [bien |] été [{_FIXED}|réglée|résolue|corrigée|réparée|corrigés], avez [bien |] [{_FIXED}]
    """,
    gone="disparu, a disparu, ont disparu, a bien disparu, a enfin disparu, envolé, n'apparaît plus",
    can="je peux, peux, on peut, arrive à, j'arrive à, ai pu, j'ai pu, je peux à nouveau, arrive enfin à",
    works_if_now="""
        marche, marchent, ça marche, c'est bon, cest bon, tout est bon, c'est tout bon, tout va bien, ça roule
        ça passe, est ok, c'est ok, tout est ok
    """,
    now="maintenant, mtn, enfin, désormais, à nouveau, de nouveau, à présent, dorénavant",
    work="fonctionner, marcher, fonctionnent, tourne, va",
    use="""
        charge, s'ouvre, démarre, se lance, se charge, se connecte, synchronise, exporte, importe, imprime
        s'affiche, se synchronise, ouvre, répond, réagit
        me connecter, me reconnecter, consulter, utiliser, exporter, ouvrir, accéder, imprimer, sauvegarder
        l'ouvrir, l'utiliser, se connecter
        à me connecter, à exporter, à ouvrir, à accéder, à imprimer, à sauvegarder, à l'ouvrir, à l'utiliser
    """,
    broken=f"""
        pas [encore |] [{_FIXED}|réglée|résolue|corrigée|réparée]
        pas été [{_FIXED}|réglée|résolue|corrigée|réparée]
        [le |la |exactement le |exactement la |toujours le |toujours la |encore le |] même [{_BUG}|message d'erreur]
        les mêmes [{_BUG}]
        toujours [pareil|idem|la même chose|la même erreur|le même bug|présent|d'actualité|au même point|le cas|aussi nul|hs|mort|en carafe]
        toujours aucun [son|changement|accès|affichage]
        toujours aucune [image|notification|vidéo|connexion|amélioration]
        rien n'a changé, rien a changé, rien de changé, [ça |] n'a rien changé, [ça |] [ne |] change rien
        aucun [changement|effet|mieux], aucune [amélioration|différence]
        pareil qu'avant, comme avant rien, pire qu'avant, encore pire, c'est pire qu'avant, identique à avant
        [{_BUG}] [persiste|persistent|est toujours là|est encore là|toujours présent|est toujours présent|est revenu|reste]
        persiste, continue de [planter|bugger|crasher], continue à [planter|bugger|crasher]
        [replante|rebug|rebugge], a recommencé à [planter|bugger], plante [toujours|encore], bug [toujours|encore]
        rien ne [marche|fonctionne|va|s'affiche|charge], rien marche, rien fonctionne
        loin d'être [{_FIXED}]
        [le correctif|la mise à jour|la correction|le fix] ne [marche|fonctionne|change|règle|résout] [pas|rien]
    """,
    fails_if_alone="""
        même chose, la même chose, exactement la même chose, toujours là, toujours le même, toujours la même, idem
        plante, ça plante, cassé, bloqué, en panne, buggé, bugge, ça bug, ça bugge, ça bloque, ça rame, pire
        c'est pire, inutilisable, hs, crash, crashe, se ferme, freeze, planté, nul, naze
        [n'a |a |] pas [marché|fonctionné|aidé], n'a rien donné, pas mieux, [aucun|pas de] succès
    """,
    trouble=f"{_BUG.replace('|', ', ')}, message d'erreur, en erreur, dysfonctionnement, panne",
    still="""
        toujours, encore, continue, encore et toujours, toujours le, toujours la, toujours un, toujours une
        toujours des, toujours ce, toujours cette, encore un, encore une, encore des, encore le, encore ce
    """,
    still_not="toujours pas, toujours rien, toujours pas bon, encore toujours pas",
    not_="""
        pas, plus, jamais, pas du tout, rien, plus rien, plus du tout, pas encore, pas bien, pas non plus, guère
        plus jamais, même pas, même plus, impossible de, impossible d', pas vraiment, tjs pas, tjrs pas
        pas correctement
    """,
    not_after=True,
    no="non, nan, nope, bah non, ben non, eh non, et non, euh non",
    none="aucun, aucune, sans, ni, personne, nul part",
    small="""
        chez moi, chez nous, ici, vraiment, correctement, de mon côté, de notre côté, tout simplement, m, me, s, y
        pour moi, pour nous, été
    """,
    spoiler="""
        sur mon [téléphone|iphone|ipad|android|pc|mac|portable|pixel|samsung|ordi|ordinateur], sur ma tablette
        sur [android|ios|iphone|windows|mac], ne, n, malheureusement, hélas, dommage, désolé, désolée, comme avant
        svp, s'il vous plaît, stp, non plus, même, en plus, arrive, j'arrive, vous savez, tjs, tjrs
    """,
    but="""
        mais, cependant, pourtant, toutefois, sauf, à part, seulement, uniquement, par contre, en revanche, hormis
        excepté, juste, sinon, or
    """,
    although="bien que, malgré, même après, même si, même avec, malgré la, alors que",
    join="et, puis",
    asks="""
        est ce, est ce que, pourquoi, comment, avez vous, pouvez vous, êtes vous, ou pas, marche t, fonctionne t
        qu'en est il, combien, quel, quelle, quels, quelles, qui, quoi, des nouvelles
        c'est quand, c'est pour quand, a t
    """,
    asks_first="quand, quand est ce, à quand",
    yes_no_tag="hein, n'est ce pas, c'est ça, d'accord, ou non, c'est bien ça, pas vrai, si",
    doubt=f"""
        si, s'il, s'ils, peut être, peutêtre, probablement, sûrement, certainement, sans doute, on dirait, il semble
        semble, semblent, a l'air, ont l'air, l'air, paraît, apparemment, soi disant, normalement, en principe
        en théorie
        devrait, devraient, devait, pourrait, aurait, serait, espère, espérons, j'espère, en espérant, pense, crois
        croyais, pensais, suppose, imagine, je sais pas, je ne sais pas, sais pas, aucune idée, pas sûr, pas sûre
        pas certain, j'ai l'impression
        hier, avant, la semaine dernière, auparavant, tout à l'heure, tantôt, était, étaient, avait, marchait
        fonctionnait, ce matin, l'autre jour, dernièrement
        parfois, de temps en temps, par moments, la plupart du temps, en partie, partiellement, à moitié, presque
        quasiment, à peu près, plus ou moins, une fois sur deux, quelques, certains, souvent, des fois
        pour l'instant, pour le moment, jusqu'ici, jusqu'à présent, actuellement, provisoirement, temporairement
        [aucun|aucune|pas de|sans] [{_BUG}] [n'est |n'a été |] [{_FIXED}|réglée|corrigée]
        pas toujours, pas tout, pas tous, pas mal, pas que, pas seulement, pas partout, pas à chaque fois
        pas chez tout le monde, pas forcément, pas trop mal
        plus vite, plus rapide, plus rapidement, plus fluide, plus que, plus qu', plus lentement, plus lent
        plus ou moins bien, mieux, beaucoup mieux, un peu mieux
        collègue, collègues, ami, amie, amis, copain, copine, mari, femme, mère, père, frère, sœur, soeur, fils
        fille, patron, patronne, quelqu'un, d'autres, les autres, ils, elles, voisin, voisine, pour vous, chez vous
        paraît il, il paraît
        demain, ce soir, plus tard, bientôt, la semaine prochaine, ce week end, ce weekend, prochainement
        bien sûr, bien sur, mon œil, mon oeil, tu parles, comme par hasard, quelle surprise, ben voyons, ouais ouais
        oui oui, c'est ça oui, mdr, ptdr, génial encore, on y croit, la bonne blague, comme si
        je marche, on marche, ça va bien, ça marche pour toi, ça va fonctionner, ça va marcher, ai réparé
        j'ai réparé, j'ai réglé, j'ai résolu, moi même
    """,
    hearsay="on m'a dit, m'a dit, dit, dites, disent, dis, selon, entendu",
    unsettled="""
        je [teste|testerai|verrai|regarde|vérifie|vais tester|vais essayer|vais voir|vais regarder|vais vérifier|vais mettre à jour|vous dis|vous dirai|vous tiens|vous redis|dirai|réessaie|réessaye|l'installe|la fais|le fais]
        j'[essaie|essaye|essaierai|installe]
        vais [tester|essayer|voir|regarder|vérifier|mettre à jour|réessayer]
        [toujours |] pas [encore |] [testé|essayé|vérifié|installé|fait|mis à jour|regardé]
        pas [encore |] [pu|eu le temps|eu l'occasion|pris le temps]
        [faut que je|dois|il faut que je] [encore |] [teste|tester|essaie|essayer|vérifier|mette à jour|mettre à jour]
        à tester, on verra
        rigole, plaisante, je rigole, je plaisante, blague, c'était une blague, laissez tomber, laisse tomber
        oubliez, attends, attendez, au temps pour moi, autant pour moi, erreur de ma part, ma faute, mea culpa
        fausse alerte
        désinstallé, supprimé, résilié, changé d'appli, changé d'application, mauvais compte, trompé, trompée
        abandonné, passé à autre chose
    """,
    courtesy="""
        merci [beaucoup|bien|infiniment|à vous|à toute l'équipe|à l'équipe|encore|encore une fois|mille fois|les gars|l'équipe|à tous|énormément|vraiment|bcp|à toi|]
        un grand merci, grand merci, mille mercis, mille merci, encore merci, encore une fois merci, merci merci
        mercii, un immense merci, encore un grand merci
        pour [la|le|votre|les|l'|cette|ce|] [rapidité|réactivité|aide|correction|correctif|réponse|mise à jour|support|travail|suivi|retour|fix|réponse rapide|correction rapide|intervention|rapide correction|solution|efficacité|effort|efforts|info|suivi|résolution]
        pour tout
        d'avoir [corrigé|réglé|résolu|réparé|répondu|pris en compte] [ça|le problème|le bug|] [si vite|aussi vite|rapidement|si rapidement|]
        de votre [aide|réactivité|retour|réponse|travail]
        bonjour, bonsoir, salut, coucou, hello, cdlt, cordialement, bonne journée, bonne soirée, bon weekend
        bon week end, bien à vous, bonne continuation
        bon travail, beau travail, bon boulot, beau boulot, bien joué, félicitations, chapeau, continuez comme ça
        continuez ainsi, de rien, excellent travail, super travail, super boulot, top réactivité
        bravo à toute l'équipe, bravo à l'équipe, bravo les gars
    """,
    filler="""
        ça, ca, cela, c, est, c'est, cest, le, la, l, les, un, une, mon, ma, mes, votre, vos, notre, j, ai, j'ai, je
        nous, on, tout, tous, a, il, elle
        super, génial, parfait, parfaite, parfaitement, nickel, niquel, impec, impeccable, excellent, au top
        formidable, magnifique, extra, très bien, bien, genial, top, trop bien, trop cool, trop fort, chouette
        merveilleux, formid, mortel, nikel
        sans problème, sans problèmes, sans souci, sans soucis, sans erreur, sans erreurs, sans bug, sans bugs
        sans planter, sans plantage, aucun problème, aucun souci, pas de problème, pas de souci, sans accroc
        aucun problème à signaler
        oui, ouais, ouip, ouii, yes, effectivement, en effet, tout à fait, exact, exactement, absolument
        je confirme, confirmé, je vous confirme que, je confirme que, je vous le confirme, je peux confirmer que
        je vous confirme, confirmation
        mise à jour, maj, mis à jour, mise à jour faite, maj faite, j'ai mis à jour, j'ai fait la mise à jour
        j'ai fait la maj
        [après|avec|depuis|grâce à] [la |cette |] [dernière |nouvelle |] [mise à jour|maj|version|correction]
        [avec|depuis|dans|sur|version] [la |] 0.0, depuis le correctif, avec le correctif, après mise à jour
        sur la nouvelle version, dans la nouvelle version
        testé, approuvé, réactif, réactifs, super réactif, réactive, essayé, vérifié, réessayé, réinstallé
        redémarré, j'ai [testé|essayé|vérifié|réessayé|retesté]
        je viens de [tester|vérifier|réessayer|mettre à jour|faire la mise à jour|faire la maj|retester]
        je viens d'essayer, bien testé, à l'instant
        youpi, hourra, ouf, alléluia, waouh, ouah, yeah, victoire
        vous êtes [les meilleurs|au top|géniaux|super|formidables|des as|des champions|top|des chefs|trop forts|parfaits]
        vous gérez, vous assurez, vous déchirez
        content, contente, heureux, heureuse, ravi, ravie, soulagé, soulagée, super content, super contente
        trop content, trop contente, bonne nouvelle, quel soulagement, ça fait plaisir
        rapide, rapidement, très rapide, super rapide, si vite, si rapide, quelle rapidité, quelle réactivité
        quelle efficacité, efficace, ultra rapide, vite, très réactif
        à merveille, comme sur des roulettes, comme il faut, comme prévu, du premier coup, très, trop, vraiment
        totalement, complètement, entièrement, super bien, très très bien, tellement, nouvelle, dernière, version
        équipe, l'équipe, les gars, correctif, fix, correction
        vous pouvez fermer le ticket, vous pouvez clôturer, affaire classée, ticket à fermer
    """,
    thing="""
        app, appli, application, l'appli, l'app, site, page, export, exportation, import, connexion, identification
        login, upload, téléchargement, téléchargements, synchro, synchronisation, recherche, filtre, filtres, bouton
        boutons, menu, vidéo, vidéos, son, image, images
        photo, photos, caméra, micro, notifications, notification, notifs, messages, messagerie, chat, calendrier
        agenda, paiement, paiements, panier, commande, commandes, compte, mot de passe, paramètres, profil, carte
        impression, imprimante, sauvegarde, clavier, écran, csv, pdf, excel
        fichier, fichiers, rapport, rapports, facture, factures, tableau, tableaux, liste, commentaires, fonction
        fonctionnalité, logiciel, programme, bluetooth, abonnement, mail, mails, email, emails, mode sombre
        graphique, graphiques, formulaire, lecture, lecteur, affichage, partage, widget, plugin
        extension, export csv, export pdf, en csv, en pdf, accès, authentification, chargement, enregistrement
    """,
    stop="""
        [laissez|laisse] moi tranquille, [laissez|laisse] moi en paix, foutez moi la paix, fichez moi la paix
        fous moi la paix, lâchez moi
        [arrêtez|arretez|cessez] de [m'écrire|me contacter|m'envoyer|me taguer|me tagger|me mentionner|me répondre|me spammer|me harceler|m'embêter|m'identifier|me déranger|spammer|répondre|m'importuner]
        ne me [contactez|écrivez|répondez|taguez|mentionnez|recontactez|identifiez|dérangez|écris] [plus|pas|plus jamais]
        ne [m'écrivez|m'envoyez|m'identifiez|m'écris] [plus|pas|plus jamais]
        me [contactez|écrivez|répondez|taguez|mentionnez] plus
        désabonnez moi, désinscrivez moi, je [veux|voudrais|souhaite] me [désabonner|désinscrire]
        plus de [messages|réponses|notifications|tags] [svp|s'il vous plaît|merci]
        je [ne |] veux plus [de messages|de vos messages|être contacté|être contactée|de réponses|de vos réponses|recevoir]
        [merci de |prière de |] ne plus me [contacter|écrire|répondre|taguer|mentionner|identifier|déranger], retirez moi
        dégagez, dégage, ta gueule, fermez la, va te faire, allez vous faire, stop svp, stop s'il vous plaît
        je vous bloque, stop aux messages, stop spam
    """,
    stop_if_first="""
        arrête de [m'écrire|me contacter|m'envoyer|me taguer|me tagger|me mentionner|me répondre|me spammer|me harceler|m'embêter|m'identifier|me déranger|spammer|répondre|m'importuner]
        ne me contacte [plus|pas|plus jamais]
    """,
    stop_if_alone="""
        arrêtez, arrête, arretez, arrêtez ça, désabonnement, désinscription, ça suffit, assez, se désabonner
        me désabonner, désabonner, pas de réponse automatique, pas de réponses automatiques
    """,
)
