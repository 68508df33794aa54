"""What Fullcircle says in public unless an operator wrote something else.

Every text names nothing but what `app.rules.wording.Context` holds, and reads well with any of it
missing. The release's address is left out on purpose: a link costs money on some networks and
unfolds into a large card on others, so only the operator's own `link` is shown. German and Spanish
avoid the choice between the polite and the familiar form, Portuguese also between its two spellings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.rules.facts import TemplateKind

ENGLISH = "en"
"""The language of last resort; every kind has a text in it."""


@dataclass(frozen=True, slots=True)
class StandIns:
    """Words for what is not known or not public, as they stand in the middle of a sentence.

    The German ones are in the dative ('in der neuesten Version'), the others carry their article.
    A text whose grammar needs another form asks `{% if version %}` and brings its own.
    """

    version: str
    product: str


LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "pt": "Português",
    "ja": "日本語",
}
"""The languages that texts come along in, each in its own words."""

STAND_INS: Mapping[str, StandIns] = {
    "en": StandIns(version="the latest version", product="our product"),
    "de": StandIns(version="der neuesten Version", product="unserem Produkt"),
    "fr": StandIns(version="la dernière version", product="notre produit"),
    "es": StandIns(version="la última versión", product="nuestro producto"),
    "pt": StandIns(version="a versão mais recente", product="nosso produto"),
    "ja": StandIns(version="最新バージョン", product="弊社製品"),
}

_EN = "Hi{% if customer %} {{ customer }}{% endif %}, "
_DE = "Hallo{% if customer %} {{ customer }}{% endif %}, "
_FR = "Bonjour{% if customer %} {{ customer }}{% endif %}, "
_ES = "Hola{% if customer %}, {{ customer }}{% endif %}: "
_PT = "Olá{% if customer %}, {{ customer }}{% endif %}. "
_JA = "{% if customer %}{{ customer }}様、{% endif %}"

_MORE_EN = "{% if link %} More about this: {{ link }}{% endif %}"
_MORE_DE = "{% if link %} Mehr dazu: {{ link }}{% endif %}"
_MORE_FR = "{% if link %} En savoir plus\u00a0: {{ link }}{% endif %}"
_MORE_ES = "{% if link %} Más información: {{ link }}{% endif %}"
_MORE_PT = "{% if link %} Mais informações: {{ link }}{% endif %}"
_MORE_JA = "{% if link %} 詳しくはこちら: {{ link }}{% endif %}"

_ACK: Mapping[str, str] = {
    "en": _EN + "thank you for telling us about this. "
    "We have passed it on to the team in charge{% if product %} of {{ product }}{% endif %} "
    "and will reply here when there is news." + _MORE_EN,
    "de": _DE + "vielen Dank für den Hinweis! "
    "Wir haben ihn an das {% if product %}für {{ product }} {% endif %}zuständige Team weitergegeben "
    "und melden uns hier, sobald es Neuigkeiten gibt." + _MORE_DE,
    "fr": _FR + "merci de nous avoir signalé ce problème. "
    "Nous l’avons transmis à l’équipe concernée{% if product %} ({{ product }}){% endif %} "
    "et nous vous répondrons ici dès que nous aurons du nouveau." + _MORE_FR,
    "es": _ES + "gracias por avisarnos. "
    "Lo hemos trasladado al equipo responsable{% if product %} de {{ product }}{% endif %} "
    "y responderemos aquí en cuanto haya novedades." + _MORE_ES,
    "pt": _PT + "Agradecemos o aviso. "
    "O problema já foi encaminhado aos responsáveis{% if product %} por {{ product }}{% endif %} "
    "e responderemos aqui assim que houver novidades." + _MORE_PT,
    "ja": _JA + "ご報告ありがとうございます。"
    "{% if product %}{{ product }}の{% endif %}担当チームに共有しました。"
    "進展がありましたら、こちらでお知らせします。" + _MORE_JA,
}

_PROGRESS: Mapping[str, str] = {
    "en": _EN + "a short update: the team is working on the problem you reported"
    "{% if product %} with {{ product }}{% endif %}. "
    "We will reply here as soon as there is something for you to try." + _MORE_EN,
    "de": _DE + "ein kurzer Zwischenstand: Das Team arbeitet an dem gemeldeten Problem"
    "{% if product %} mit {{ product }}{% endif %}. "
    "Wir melden uns hier, sobald es etwas zum Ausprobieren gibt." + _MORE_DE,
    "fr": _FR + "un point rapide\u00a0: notre équipe s’occupe du problème que vous nous avez signalé"
    "{% if product %} sur {{ product }}{% endif %}. "
    "Nous vous répondrons ici dès que vous pourrez essayer une solution." + _MORE_FR,
    "es": _ES + "una breve actualización. "
    "El equipo está trabajando en este problema{% if product %} de {{ product }}{% endif %} "
    "y responderemos aquí en cuanto haya algo que probar." + _MORE_ES,
    "pt": _PT + "Uma breve atualização: "
    "continuamos a trabalhar na solução deste problema{% if product %} em {{ product }}{% endif %} "
    "e responderemos aqui assim que houver algo para testar." + _MORE_PT,
    "ja": _JA + "ご報告いただいた{% if product %}{{ product }}の{% endif %}問題について、現在対応を進めています。"
    "お試しいただける準備ができましたら、こちらでお知らせします。" + _MORE_JA,
}

_FIXED: Mapping[str, str] = {
    "en": _EN + "the problem you reported is fixed in {{ version }}{% if product %} of {{ product }}{% endif %}. "
    "Thank you for telling us about it. "
    "Does it work for you now? A short reply here would help us." + _MORE_EN,
    "de": _DE + "das gemeldete Problem ist in {{ version }}{% if product %} von {{ product }}{% endif %} behoben. "
    "Vielen Dank für den Hinweis! "
    "Klappt jetzt alles wie erwartet? Über eine kurze Rückmeldung hier freuen wir uns." + _MORE_DE,
    "fr": _FR + "le problème que vous nous avez signalé{% if product %} sur {{ product }}{% endif %} "
    "est corrigé dans {% if version %}la version {% endif %}{{ version }}. "
    "Merci pour votre aide. "
    "Est-ce que tout fonctionne maintenant\u00a0? Un petit mot ici nous serait utile." + _MORE_FR,
    "es": _ES + "este problema ya está corregido en {% if version %}la versión {% endif %}{{ version }}"
    "{% if product %} de {{ product }}{% endif %}. "
    "Muchas gracias por avisarnos. "
    "¿Funciona bien ahora? Una breve respuesta aquí nos ayudaría mucho." + _MORE_ES,
    "pt": _PT + "Este problema já está corrigido "
    "{% if version %}na versão {{ version }}{% else %}na versão mais recente{% endif %}"
    "{% if product %} de {{ product }}{% endif %}. "
    "Agradecemos muito o aviso. "
    "Já funciona corretamente? Uma breve resposta aqui seria de grande ajuda." + _MORE_PT,
    "ja": _JA + "ご報告いただいた問題は、{% if product %}{{ product }}の{% endif %}{{ version }}で修正されました。"
    "お知らせいただき、ありがとうございました。"
    "現在は正しく動作していますか？ご返信いただけると助かります。" + _MORE_JA,
}

_OUTCOME: Mapping[str, str] = {
    "en": _EN + "thank you for your patience. "
    "We have looked into this{% if product %} with the {{ product }} team{% endif %} "
    "and are not planning to change it at the moment. "
    "If you think we have missed something, please tell us here." + _MORE_EN,
    "de": _DE + "vielen Dank für die Geduld. "
    "Wir haben uns den Fall genau angesehen "
    "und planen derzeit keine Änderung{% if product %} an {{ product }}{% endif %}. "
    "Falls wir etwas übersehen haben, freuen wir uns hier über eine Antwort." + _MORE_DE,
    "fr": _FR + "merci de votre patience. "
    "Nous avons étudié votre message avec attention "
    "et nous ne prévoyons pas de modification{% if product %} concernant {{ product }}{% endif %} pour le moment. "
    "Si quelque chose nous a échappé, n’hésitez pas à nous le dire ici." + _MORE_FR,
    "es": _ES + "gracias por la paciencia. "
    "Hemos estudiado el caso con atención y, por el momento, "
    "no tenemos previsto hacer cambios{% if product %} en {{ product }}{% endif %}. "
    "Si se nos ha escapado algo, cualquier comentario aquí será bienvenido." + _MORE_ES,
    "pt": _PT + "Agradecemos a paciência. "
    "O caso foi analisado com atenção e, por enquanto, "
    "não está prevista nenhuma alteração{% if product %} em {{ product }}{% endif %}. "
    "Se algo nos escapou, basta responder aqui." + _MORE_PT,
    "ja": _JA + "お待たせいたしました。"
    "ご報告の件を慎重に検討しましたが、現時点では{% if product %}{{ product }}の{% endif %}変更の予定はありません。"
    "お気づきの点がありましたら、こちらにご返信ください。" + _MORE_JA,
}

_CANNOT_REPRODUCE: Mapping[str, str] = {
    "en": _EN + "thank you for your patience. "
    "We could not make this happen{% if product %} in {{ product }}{% endif %}. "
    "Does it still happen to you? Tell us here what you did before, and we will look again." + _MORE_EN,
    "de": _DE + "vielen Dank für die Geduld. "
    "Wir konnten das Problem{% if product %} in {{ product }}{% endif %} nicht nachstellen. "
    "Tritt es noch auf? Dann beschreiben Sie uns hier bitte, was vorher geschah; wir sehen es uns erneut an."
    + _MORE_DE,
    "fr": _FR + "merci de votre patience. "
    "Nous n’avons pas réussi à reproduire ce problème{% if product %} dans {{ product }}{% endif %}. "
    "S’il se produit encore, dites-nous ici ce que vous faisiez et nous le réexaminerons." + _MORE_FR,
    "es": _ES + "gracias por la paciencia. "
    "No hemos podido reproducir el problema{% if product %} en {{ product }}{% endif %}. "
    "Si sigue ocurriendo, cuéntenos aquí qué hizo antes y lo revisaremos de nuevo." + _MORE_ES,
    "pt": _PT + "Agradecemos a paciência. "
    "Não conseguimos reproduzir o problema{% if product %} em {{ product }}{% endif %}. "
    "Se ainda acontecer, conte aqui o que fez antes e vamos verificar outra vez." + _MORE_PT,
    "ja": _JA + "お待たせいたしました。"
    "ご報告の現象を{% if product %}{{ product }}で{% endif %}再現できませんでした。"
    "まだ発生する場合は、直前の操作をこちらにご返信ください。あらためて調査します。" + _MORE_JA,
}

_BY_DESIGN: Mapping[str, str] = {
    "en": _EN + "thank you for your patience. "
    "We have looked into this: {% if product %}{{ product }}{% else %}it{% endif %} is meant to work this way. "
    "If that gets in your way, tell us here what you need." + _MORE_EN,
    "de": _DE + "vielen Dank für die Geduld. "
    "Wir haben nachgesehen: Das ist{% if product %} in {{ product }}{% endif %} so vorgesehen. "
    "Falls es stört, schreiben Sie uns hier gern, was Sie brauchen." + _MORE_DE,
    "fr": _FR + "merci de votre patience. "
    "Vérification faite, ce comportement est voulu{% if product %} dans {{ product }}{% endif %}. "
    "S’il vous gêne, dites-nous ici ce dont vous avez besoin." + _MORE_FR,
    "es": _ES + "gracias por la paciencia. "
    "Lo hemos revisado: {% if product %}{{ product }} {% endif %}está pensado para funcionar así. "
    "Si le supone un problema, cuéntenos aquí qué necesita." + _MORE_ES,
    "pt": _PT + "Agradecemos a paciência. "
    "Verificamos: {% if product %}em {{ product }} {% endif %}este é o comportamento previsto. "
    "Se isso atrapalha, conte aqui do que precisa." + _MORE_PT,
    "ja": _JA + "お待たせいたしました。"
    "確認したところ、{% if product %}{{ product }}の{% endif %}この動作は仕様どおりのものでした。"
    "ご不便がありましたら、ご要望をこちらにご返信ください。" + _MORE_JA,
}

_WORKAROUND: Mapping[str, str] = {
    "en": _EN + "thank you for your patience. "
    "We are not changing this{% if product %} in {{ product }}{% endif %} for now, but there is a way around it. "
    "Tell us here if you would like to know how." + _MORE_EN,
    "de": _DE + "vielen Dank für die Geduld. "
    "Wir ändern das{% if product %} in {{ product }}{% endif %} vorerst nicht, aber es gibt einen Ausweg. "
    "Schreiben Sie uns hier, wenn wir ihn erklären sollen." + _MORE_DE,
    "fr": _FR + "merci de votre patience. "
    "Nous ne changeons pas cela{% if product %} dans {{ product }}{% endif %} pour le moment, "
    "mais il existe une solution de contournement. Demandez-nous ici comment faire." + _MORE_FR,
    "es": _ES + "gracias por la paciencia. "
    "Por ahora no lo cambiaremos{% if product %} en {{ product }}{% endif %}, pero hay una alternativa. "
    "Si quiere saber cuál, díganoslo aquí." + _MORE_ES,
    "pt": _PT + "Agradecemos a paciência. "
    "Por enquanto não vamos mudar isso{% if product %} em {{ product }}{% endif %}, mas há uma alternativa. "
    "Se quiser saber qual, responda aqui." + _MORE_PT,
    "ja": _JA + "お待たせいたしました。"
    "{% if product %}{{ product }}の{% endif %}この点は当面変更の予定はありませんが、回避する方法があります。"
    "ご案内をご希望の場合は、こちらにご返信ください。" + _MORE_JA,
}

_CORRECTION: Mapping[str, str] = {
    "en": _EN + "we are sorry: we told you too early that this problem was fixed. "
    "The fix is not available yet. "
    "We will reply here once it really is." + _MORE_EN,
    "de": _DE + "hier haben wir leider zu früh gemeldet, dass das Problem behoben ist. "
    "Die Lösung ist noch nicht verfügbar, das tut uns leid. "
    "Sobald es wirklich so weit ist, melden wir uns hier." + _MORE_DE,
    "fr": _FR + "nous vous avons annoncé trop tôt que ce problème était corrigé, et nous nous en excusons. "
    "Le correctif n’est pas encore disponible. "
    "Nous vous répondrons ici dès qu’il le sera vraiment." + _MORE_FR,
    "es": _ES + "nos adelantamos al decir que este problema estaba corregido, y lo sentimos. "
    "La corrección todavía no está disponible. "
    "Responderemos aquí cuando lo esté de verdad." + _MORE_ES,
    "pt": _PT + "Pedimos desculpas: dissemos cedo demais que este problema estava corrigido. "
    "A correção ainda não está disponível. "
    "Responderemos aqui quando realmente estiver." + _MORE_PT,
    "ja": _JA + "修正済みとお伝えしましたが、ご案内が早すぎました。申し訳ありません。"
    "修正版はまだご利用いただけません。"
    "ご利用いただけるようになりましたら、あらためてこちらでお知らせします。" + _MORE_JA,
}

TEXTS: Mapping[TemplateKind, Mapping[str, str]] = {
    "ack": _ACK,
    "progress": _PROGRESS,
    "fixed": _FIXED,
    "outcome": _OUTCOME,
    "outcome_cannot_reproduce": _CANNOT_REPRODUCE,
    "outcome_by_design": _BY_DESIGN,
    "outcome_workaround": _WORKAROUND,
    "correction": _CORRECTION,
}
