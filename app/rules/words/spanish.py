"""Spanish. `sí` and `más` keep their accents: without them they are 'if' and 'but'."""

from __future__ import annotations

from app.rules.words.lexicon import Lexicon

_FIXED = "arreglado|solucionado|resuelto|corregido|reparado|arreglada|solucionada|resuelta|corregida"
_BUG = "problema|problemas|error|errores|fallo|fallos|bug|bugs|falla|fallas"
_CRASHES = "falla|se cierra|se me cierra|se cuelga|se me cuelga|crashea|da error|me da error|da errores|da problemas|da fallos|se traba|se congela|se bloquea|tira error|me tira error|sale error|me sale error|sale el error|me sale el error|aparece el error|da fallo|se cae"
_WELL = "bien|perfecto|perfectamente|genial|muy bien|de lujo|de maravilla|correctamente|sin problemas|sin problema|excelente|fenomenal|estupendamente|súper bien|como la seda|de diez|de perlas|fluido|a la perfección"

SPANISH = Lexicon(
    language="es",
    works=f"""
        funciona, funcionan [ya|ahora|bien|de nuevo], funcionando, está funcionando, están funcionando, funcionó
        ha funcionado, [vuelve|volvió|ha vuelto|vuelven|volvieron] a [funcionar|andar|ir|la normalidad]
        ya no [{_CRASHES}]
        ya [me |] [llegan|aparecen|salen|cargan] [bien|de nuevo|las notificaciones|los mensajes|los correos]
        ya no [me |] [ocurre|pasa|sucede], ya no [hay|tengo|veo] [{_BUG}|ningún error|ningún problema]
        dejó de [fallar|cerrarse|colgarse|dar error]
        [va|anda|marcha|trabaja|jala] [{_WELL}], [va|anda|marcha] todo [{_WELL}], [ya|ahora] [me |] sirve
        ya quedó, [quedó|ha quedado|queda] [perfecto|genial|excelente|de lujo], ya va [{_WELL}]
        ahora sí, [ya|ahora] [sí |] me va, ahora sí va
        ya [carga|abre|entra|exporta|guarda|sincroniza|conecta] [bien|perfecto|sin problemas|correctamente|de nuevo|]
        todo [vuelve a la normalidad|volvió a la normalidad|de vuelta a la normalidad]
    """,
    fixed=f"""
        {_FIXED.replace("|", ", ")}
        se [arregló|solucionó|resolvió|corrigió|ha arreglado|ha solucionado|ha resuelto]
        [quedó|ha quedado|queda] [ya |] [{_FIXED}]
        [lo |la |] [arreglaron|solucionaron|resolvieron|corrigieron|arreglasteis|solucionasteis|han arreglado|han solucionado|habéis arreglado]
    """,
    gone="desapareció, ha desaparecido, desaparecido, ya no [me |] [aparece|sale], se fue, desaparecieron",
    can="puedo, pude, podemos, me deja, nos deja, deja, he podido",
    works_if_now="""
        anda, sirve, jala, todo bien, todo ok, todo en orden, está bien, todo correcto, está ok, todo perfecto
        todo está bien, está todo bien, está perfecto
    """,
    now="ahora, ya, por fin, finalmente, de nuevo, otra vez, nuevamente, al fin, ahora ya, ahora mismo",
    work="funcionar, funcionan, funcione, andar, marchar, va, van, marcha",
    use="""
        se abre, se carga, se conecta, se guarda, se inicia, se sincroniza, se reproduce, se ve, carga, abre, entra
        inicia, guarda, sincroniza, exporta, importa, conecta, arranca, responde, cargan, abren
        entrar, acceder, iniciar sesión, abrir, abrirla, abrirlo, exportar, importar, guardar, loguearme, conectarme
        usarla, usarlo, imprimir, ingresar, hacer nada, hace nada, usar, subir
    """,
    broken=f"""
        [el |los |con el |exactamente el |] [mismo|mismos] [{_BUG}|mensaje de error]
        [la |] misma [falla|pantalla]
        [sigue|siguen|continúa|continúan] [igual|exactamente igual|roto|rota|mal|fallando|dando error|dando errores|dando problemas|dando fallos|pasando|ocurriendo|apareciendo|saliendo|cerrándose|colgándose|con el mismo error|con el mismo problema|con error|con errores|con problemas|ahí|lo mismo|en las mismas|caído|caída|trabándose|bloqueado|pésimo|peor|el error|el problema|el fallo|el bug]
        sigue sin [ir|dejarme|dejar|dar|abrir|abrirse|cargar|servir|sincronizar|entrar|aparecer|salir|poder|reproducir|guardar|arreglarse|solucionarse|andar|jalar|arreglo|solución]
        siguen sin [ir|cargar|aparecer|arreglarlo|solucionarlo|abrir]
        sigo [igual|sin poder|con el mismo problema|con el mismo error|con el problema|con el error|en las mismas]
        [ningún|ninguna] [cambio|mejora|diferencia|mejoría], sin cambios, sin mejoras
        nada ha cambiado, no ha cambiado nada, no cambió nada, no cambia nada, nada cambió
        no se [ha |] [solucionó|arregló|resolvió|solucionado|arreglado|resuelto|corrigió|corregido]
        no [está|esta|quedó|ha quedado] [{_FIXED}]
        no [han|habéis] [arreglado|solucionado|resuelto] [nada|el problema|el error|]
        no [arreglaron|solucionaron|resolvieron] [nada|el problema|el error|]
        no [soluciona|arregla|resuelve] [nada|el problema|el error]
        peor que [antes|nunca], cada vez peor, aún peor, [problema|error|fallo|bug] [persiste|continúa|sigue]
        persiste, persisten
        [otra vez|de nuevo] [falla|fallando|roto|con error|el mismo error|lo mismo|se cierra|da error]
        [falla|se cierra|da error] [otra vez|de nuevo]
        no [me |] [funciona|va|anda|sirve] [para |] nada, nada funciona
    """,
    fails_if_alone=f"""
        la misma cosa, la misma historia, lo mismo, lo mismo que antes, igual que antes, todo igual
        {_CRASHES.replace("|", ", ")}, fallando, roto, rota, peor, mal, fatal, inservible, pésimo
        no [me |] [funcionó|ha funcionado|sirvió|ha servido|ayudó|anduvo], [va|anda|funciona] [mal|fatal]
    """,
    trouble=f"{_BUG.replace('|', ', ')}, mensaje de error",
    still="""
        sigue, siguen, todavía, aún, aun, continúa, continúan, sigo, sigue el, sigue con, sigo con, todavía me
        aún me, me sigue, todavía hay, aún hay, sigue saliendo, sigue dando, me sigue saliendo, me sigue dando
        todavía me sale, aún me sale, todavía tengo, aún tengo, sigo teniendo, sigo viendo, sigue habiendo
    """,
    not_="no, ya no, tampoco, nunca, jamás, nada, sin, para nada, ni siquiera, apenas",
    no="nop, nel",
    none="ningún, ninguna, ninguno, nadie, ni",
    small="""
        me, nos, le, bien, correctamente, aquí, a mí, a mi, en mi caso, realmente, está, ha sido, esta, me está
        muy bien, como debe, como debería
    """,
    spoiler="""
        en mi [teléfono|móvil|celular|iphone|ipad|android|pc|mac|portátil|laptop|pixel|samsung|tablet]
        en [android|ios|iphone|windows|mac], desgraciadamente, lamentablemente, por desgracia, desafortunadamente
        lástima, como antes, por favor, porfa, perdón, más, mas bien, igualmente, así
    """,
    but="""
        pero, excepto, salvo, menos, solo, solamente, únicamente, sin embargo, mas, sino, eso sí, lo malo, en cambio
        aparte de
    """,
    although="aunque, a pesar de, incluso después, a pesar, pese a, aun con, incluso con",
    join="y, e",
    asks="""
        por qué, cuándo, cuándo van a, para cuándo, cuál es, pueden, podrían, podéis, hay novedades, hay noticias
        alguna novedad, alguna solución, será que, qué hago, cómo hago, cómo puedo, qué pasó, qué pasa, cómo va
    """,
    yes_no_tag="verdad, cierto, o no, eh, no es así, o qué, o sí",
    doubt=f"""
        si, quizá, quizás, tal vez, a lo mejor, acaso, probablemente, posiblemente, supongo, creo, creía, pienso
        pensé, espero, esperemos, ojalá, parece, parecen, parecía, aparentemente, supuestamente, se supone
        en teoría, en principio
        debería, deberían, podría, habría, sería, puede que, puede ser, no sé, ni idea, no estoy seguro
        no estoy segura, diría
        ayer, antes, la semana pasada, anteriormente, hace un rato, hace días, era, eran, estaba, estaban
        funcionaba, había, esta mañana, el otro día, iba, andaba
        a veces, de vez en cuando, en parte, parcialmente, a medias, casi, más o menos, mas o menos, por ahora
        de momento, por el momento, hasta ahora, hasta el momento, actualmente, a ratos, un poco, algunos, algunas
        medio, mejor, un poco mejor, mucho mejor
        [menú|teclado|pantalla|formulario|panel|chat|vídeo|video|sesión|cuenta|cuadro] ya no se [me |] cierra
        [ningún|sin|cero] [{_BUG}] [está |ha sido |fue |] [{_FIXED}], no siempre, no solo, no todo, no todos
        no está mal, nada mal, no en todos, no del todo, no a todos, no es que
        colega, colegas, compañero, compañera, amigo, amiga, esposo, esposa, marido, mujer, novio, novia, jefe, jefa
        hermano, hermana, hijo, hija, mamá, madre, padre, papá, alguien, otros, otras, los demás, ellos, ellas
        gente a ti, a ustedes, a vosotros, para ti
        dice
        mañana, más tarde, luego, pronto, esta noche, esta tarde, fin de semana, la próxima semana, después
        claro, claro que, sí claro, ya claro, ya ya, cómo no, qué sorpresa, vaya novedad, ya va, ya está bien
        anda ya, anda anda, sí sí, sí seguro, como siempre, qué ironía, vaya, no me digas, sigue igual de, sigue siendo igual de, menos mal que no
        lo arreglé, lo solucioné, yo mismo, yo misma
    """,
    hearsay="dice, dicen, dijo, dijeron, decían, dices, según, me dijeron, me dicen, me dice, comenta",
    unsettled="""
        [voy a|vamos a|iba a|tengo que|hay que|debo|necesito|me falta|falta|déjame|dejame|déjenme] [probar|probarlo|probarla|ver|revisar|actualizar|comprobar|intentar|intentarlo|checar|verificar|chequear|reinstalar|comprobarlo|verlo|revisarlo]
        lo pruebo, la pruebo, pruebo, probaré, lo probaré, la probaré, lo reviso, reviso, actualizo, les aviso
        os aviso, le aviso, te aviso, aviso, avisaré, les cuento, os cuento, les digo, os digo, lo intento, veré
        ya veremos, te cuento, te digo
        no [lo |la |] [he probado|he podido|he actualizado|he tenido tiempo|probé|pude probar|pude probarlo|he podido probar|he podido probarlo|pude|actualicé|he revisado|he mirado|pruebo|he comprobado|tuve tiempo]
        sin probar, no he tenido tiempo
        era broma, es broma, broma, bromeo, mentira, olvídenlo, olvídalo, olvidadlo, espera, esperen, esperad
        un momento, me equivoqué, error mío, culpa mía, fallo mío, falsa alarma
        desinstalé, la desinstalé, desinstalada, la borré, borré, me cambié, me pasé a, cancelé, ya no la uso
        ya no lo uso, déjalo, no importa, da igual, cuenta equivocada, me rendí
    """,
    courtesy="""
        gracias, muchas gracias, mil gracias, muchísimas gracias, gracias a todos, gracias totales, gracias de nuevo
        gracias de verdad, gracias equipo, gracias chicos, gracias igualmente, gracias de antemano
        un millón de gracias, muchas gracias a todos, gracias a ustedes, gracias a vosotros, gracias mil
        mil gracias a todos
        por [la|el|su|vuestra|tu|vuestro|] [rápida |pronta |gran |] [ayuda|arreglo|solución|rapidez|respuesta|atención|actualización|soporte|apoyo|trabajo|fix|corrección|gestión|esfuerzo|servicio|seguimiento] [rápida|tan rápida|]
        por [arreglarlo|solucionarlo|resolverlo|corregirlo|avisar|avisarme|responder|responderme|todo|contestar|arreglar esto|solucionar esto|preguntar] [tan rápido|rápido|tan pronto|]
        por [solucionar|arreglar|resolver] el [problema|error|fallo]
        se agradece, os lo agradezco, se lo agradezco, les agradezco, lo agradezco, agradecido, agradecida
        muy agradecido, muy agradecida, hola, hola equipo, buenas, buenos días, buenas tardes, buenas noches
        saludos, un saludo, un abrazo, abrazo
        buen trabajo, gran trabajo, excelente trabajo, excelente servicio, excelente soporte, bien hecho
        buen servicio, buen soporte, felicidades, felicitaciones, enhorabuena, sigan así, seguid así
        son [los mejores|geniales|unos cracks|lo máximo|unos genios|la onda|increíbles]
        sois [los mejores|geniales|unos cracks|unos máquinas|la leche|los putos amos|increíbles|unos fenómenos]
        cracks, crack, los quiero, os quiero, los amo, grandes, qué grandes, unos cracks, unos grandes, máquinas
    """,
    filler=f"""
        el, la, los, las, lo, un, una, mi, mis, su, sus, es, está, están, todo, todos, toda, con todo, ambos, eso
        esto, ese, este, esta, soy, estoy, he, yo
        sí, siii, pues sí, oye, así es, efectivamente, exacto, correcto, confirmo, confirmado, les confirmo que
        os confirmo que, confirmo que, puedo confirmar que, les confirmo, os confirmo, doy fe
        {_WELL.replace("|", ", ")}, perfecta, estupendo, maravilloso, maravilla, ideal, chévere, bárbaro, guay
        buenísimo, excelente, increíble, listo, lista, ya está, ok, vale, súper, super, joya, impecable, de lujo
        qué maravilla
        sin errores, sin fallos, sin error, ningún problema, ningún error, cero problemas, cero errores
        acabo de [probar|probarlo|probarla|actualizar|actualizarla|actualizarlo|comprobar|comprobarlo|revisar|instalar|verificar]
        lo acabo de probar, probado, comprobado, actualizado, actualizada, verificado, ya actualicé, actualicé
        lo probé, probé, ya probé, ya lo probé, ya la actualicé, ya lo actualicé, revisado, reinstalé, lo comprobé
        he actualizado, ya he actualizado, he probado, lo he probado, ya lo he probado
        [tras|después de|desde|con] [la |esta |] [última |nueva |] [actualización|versión|corrección]
        con el [parche|arreglo|fix|update], después de actualizar, tras actualizar, al actualizar
        [con|en|desde|versión] [la |] 0.0, actualización, versión, nueva, última, en la nueva versión
        en la última versión, parche, arreglo
        muy, tan rápido, qué rapidez, qué rápido, rápido, rapidísimo, qué eficiencia, qué eficientes, enseguida
        bravo, yuju, vamos, olé, wow, bien, qué bien, qué alegría, qué bueno, qué alivio, qué felicidad, aleluya, uf
        menos mal, genial, gracias a dios, la verdad, de verdad, totalmente, completamente, absolutamente, realmente
        por completo
        contento, contenta, muy contento, muy contenta, feliz, encantado, encantada, satisfecho, satisfecha, equipo
        chicos, chicas, amigos, gente, señores, muchachos, pueden cerrar el ticket, podéis cerrar el ticket
        pueden cerrarlo, caso cerrado
    """,
    thing="""
        app, aplicación, sitio, sitio web, página, web, exportación, export, importación, import, inicio de sesión
        login, acceso, subida, descarga, descargas, sincronización, búsqueda, filtro, filtros, botón, botones, menú
        vídeo, video, vídeos, videos, sonido, audio, imagen, imágenes, foto, fotos, cámara, micrófono
        notificaciones, notificación, mensajes, chat, calendario, pago, pagos, carrito, pedido, pedidos, cuenta
        contraseña, ajustes, configuración, perfil, mapa, mapas, impresión, impresora, copia de seguridad, teclado
        pantalla, csv, pdf, excel, archivo, archivos, informe, informes, reporte, reportes, factura, facturas, tabla
        lista, comentarios
        función, programa, software, bluetooth, suscripción, correo, correos, email, emails, modo oscuro, gráfico
        gráficos, formulario, reproductor, reproducción, widget, plugin, extensión, la de exportar, exportar
        importar, iniciar sesión, entrar, guardar, imprimir, cosa, cosas, panel
    """,
    stop="""
        [déjenme|dejadme|déjame|dejenme|dejame|que me dejéis|que me dejen|me dejáis|me dejan] en paz
        [déjenme|dejadme|déjame] [tranquilo|tranquila]
        [dejen|dejad|paren|parad|deje] de [escribirme|contactarme|mandarme|enviarme|etiquetarme|mencionarme|molestarme|responderme|molestar|spamear|mandar mensajes|enviar mensajes|responder|acosarme|hacer spam|taggearme|arrobarme]
        no me [escriban|contacten|contesten|etiqueten|mencionen|molesten|respondan|manden|envíen|escribáis|contactéis|etiquetéis|etiquetes|escribas|contactes|mandéis|enviéis|arroben|hablen] [más|mas|nunca más|]
        no me [manden|envíen|mandéis] [más|mas] mensajes
        no quiero [más|mas|] mensajes, no quiero [más|mas] [respuestas|notificaciones]
        no quiero que me [escriban|contacten|etiqueten|molesten|respondan]
        no quiero recibir [más|mas|] [mensajes|respuestas], dame de baja, denme de baja, dadme de baja
        váyanse a la mierda, vete a la mierda, iros a la mierda, cállense, cállate, callaos, basta ya
        basta por favor, por favor basta, los voy a bloquear, os voy a bloquear, bloqueados, basta de mensajes
        basta de spam
    """,
    stop_if_first="""
        [deja|para] de [escribirme|contactarme|mandarme|enviarme|etiquetarme|mencionarme|molestarme|responderme|molestar|spamear|acosarme|hacer spam|taggearme|arrobarme]
    """,
    stop_if_alone="""
        basta, paren, para, parad, alto, baja, ya basta, ya paren, suficiente, darse de baja, [quiero |]darme de baja, dar de baja, no más [mensajes|respuestas], cancelar suscripción
    """,
)
