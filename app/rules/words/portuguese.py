"""Portuguese, of Brazil and of Portugal."""

from __future__ import annotations

from app.rules.words.lexicon import Lexicon

_FIXED = (
    "resolvido|corrigido|consertado|arrumado|solucionado|arranjado|resolvida|corrigida|consertada|arrumada|normalizado"
)
_BUG = "problema|problemas|erro|erros|bug|bugs|falha|falhas|travamento|travamentos"
_CRASHES = "trava|trava tudo|cai|fecha|fecha sozinho|fecha sozinha|dá erro|crasha|buga|falha|congela|está travando|tá travando|está dando erro|tá dando erro|está fechando|tá fechando|tá caindo|dá problema|bloqueia|encrava|acontece|travou|fechou|caiu|deu erro"
_WELL = "bem|perfeitamente|perfeito|direitinho|certinho|normal|normalmente|muito bem|redondo|redondinho|liso|lisinho|sem problemas|sem problema|sem erros|sem erro|corretamente|a 100|super bem|às mil maravilhas|que é uma beleza|lindamente|ok|de boa"

PORTUGUESE = Lexicon(
    language="pt",
    works=f"""
        funciona, funcionam [agora|já|bem|de novo], funcionando, está funcionando, tá funcionando, a funcionar
        está a funcionar, [voltou|voltaram|volta] a [funcionar|trabalhar|rodar], funcionou, deu certo, já dá
        já está a dar, já está a funcionar
        não [me |] [{_CRASHES}] mais, já não [me |] [{_CRASHES}]
        [parou|pararam] de [travar|fechar|dar erro|crashar|cair|bugar|congelar], não tem mais [{_BUG}]
        não [me |] [dá|há|aparece|ocorre] mais [{_BUG}], não [me |] deu mais [{_BUG}], não [me |] deu [{_BUG}]
        não [há|tenho] mais [{_BUG}], já não [há|tenho|tem] [{_BUG}]
        [notificações|mensagens|fotos] voltaram, voltaram as [notificações|mensagens|fotos], normalizou
        voltou ao normal, tudo voltou ao normal, tudo funcionando, agora foi, agora sim, agora vai bem
        [rodando|roda|carrega|abre|carregando|abrindo|sincronizando|salvando|exportando] [{_WELL}]
        agora [carrega|abre|roda|sincroniza|salva|exporta|entra]
        [ficou|está|tá|ta] [perfeito|ótimo|excelente|top|10|show] agora
    """,
    fixed=f"""
        {_FIXED.replace("|", ", ")}, resolveu, resolveram, corrigiram, consertaram, arrumaram, solucionaram
        resolveu se, [foi|está|tá|ficou] [{_FIXED}]
    """,
    gone="""
        sumiu, desapareceu, sumiram, desapareceram, não aparece mais, não [me |] aparece mais, já não aparece
        foi embora
    """,
    can="consigo, consegui, conseguimos, dá pra, dá para, posso, deixa",
    works_if_now="""
        tudo certo, tudo ok, tudo bem, tá ok, está ok, tá bom, está bom, tá certo, está normal, tá normal, normal
        está tudo certo, tá tudo certo, está tudo ok, tá tudo ok
    """,
    now="agora, finalmente, enfim, de novo, novamente, outra vez, já, até que enfim, agora já",
    work="funcionar, funcionam, rodar, rodando, trabalhar",
    use="""
        abre, carrega, entra, inicia, salva, sincroniza, exporta, importa, conecta, loga, roda, arranca, responde
        grava, abrir, carregar, carregam
        entrar, acessar, abrir, logar, exportar, importar, salvar, usar, fazer login, imprimir, aceder, fazer nada
        usar o app, usar a app, acontece nada, gravar
    """,
    broken=f"""
        [o |os |exatamente o |com o |] [mesmo|mesmos] [{_BUG}]
        [a |exatamente a |] mesma [mensagem|falha|tela], mesmíssimo erro, mesmíssima falha
        [continua|continuam|segue|permanece] [igual|o mesmo erro|o mesmo problema|a mesma coisa|na mesma|com erro|com o erro|com o mesmo erro|com o mesmo problema|com problema|com problemas|travando|dando erro|quebrado|quebrada|ruim|sem funcionar|bugado|bugada|caindo|fechando|falhando|o erro|o problema|o bug|a dar erro|a falhar|a fechar|a bloquear|péssimo|acontecendo|a acontecer|crashando|lento e travando|com bug]
        continua sem [abrir|carregar|entrar|dar|conectar|salvar|som|imagem|sincronizar|aparecer|solução|exportar|responder]
        continuo sem [conseguir|acesso|poder]
        continuo com [o mesmo erro|o mesmo problema|o erro|o problema|erro|problema]
        nada mudou, não mudou nada, mudou nada, nenhuma [mudança|melhora|diferença|alteração]
        nenhum efeito, sem mudanças, sem melhora, nada diferente, está igual, tá igual
        não foi [{_FIXED}], não [corrigiram|resolveram|consertaram|arrumaram|resolve] [nada|o problema|o erro|]
        não [está|tá] [{_FIXED}], nada resolvido, longe de estar resolvido
        [pior|mais lento] [que|do que] [antes|nunca], piorou, ficou [ainda |] pior, está pior, tá pior
        [{_BUG}] [persiste|continua|permanece], persiste, persistem
        ainda [dá erro|dando erro|da erro|trava|travando|fecha|fecha sozinho|cai|caindo|falha|crasha|buga|bugado|quebrado|com erro|com problema|com bug|o mesmo erro|o mesmo problema|a mesma coisa|na mesma|está com erro|tá com erro|está com problema|está travando|tá travando|está dando erro|tá dando erro|acontece|ocorre|persiste|aparece o erro|tá bugado|está bugado|tá quebrado|está quebrado|ruim]
        [travou|travando|caiu|fechou|bugou|deu erro|dá erro] [de novo|outra vez|novamente]
        não [funciona|está funcionando|tá funcionando|funfa] não, não funciona nada, nada funciona, não presta
        não adiantou [nada|de nada]
    """,
    fails_if_alone=f"""
        na mesma, tudo igual, mesma coisa, a mesma coisa, exatamente a mesma coisa, mesma história, o mesmo, continua o mesmo, ainda o mesmo
        {_CRASHES.replace("|", ", ")}, travando, quebrado, quebrada, crashando, dando erro, deu ruim, pior, péssimo
        inutilizável, bugado, bugada, bugou
        não [me |] [funcionou|deu certo|deu|resolveu|adiantou|ajudou|foi]
    """,
    trouble=f"{_BUG.replace('|', ', ')}, mensagem de erro",
    still="""
        ainda, continua, continuam, segue, continuo, ainda está, ainda tá, ainda ta, continua com, ainda com
        ainda aparece, ainda tenho, ainda tem, ainda há, ainda recebo, continua aparecendo, continua dando, ainda me
    """,
    not_="""
        não, nao, n, ñ, num, nunca, nada, já não, nem, sem, tampouco, também não, jamais, mal, ainda não
        de jeito nenhum
    """,
    no="negativo",
    none="nenhum, nenhuma, ninguém, nada disso",
    small="""
        me, pra mim, para mim, aqui, comigo, bem, direito, corretamente, está, tá, ta, por aqui, mesmo, realmente
        aqui pra mim, cá, no meu, estão, tão
    """,
    spoiler="""
        no meu [celular|telefone|iphone|ipad|android|pc|mac|notebook|pixel|samsung|tablet|telemóvel|computador]
        no [android|ios|iphone|windows|mac], infelizmente, lamentavelmente, que pena, mesmo assim, como antes
        por favor, pfv, pf, desculpa, desculpe, mais, também, assim, poxa, caramba, puts
    """,
    but="""
        mas, porém, só que, só, somente, apenas, exceto, menos, contudo, entretanto, a não ser, tirando, no entanto
        fora
    """,
    although="embora, mesmo após, mesmo depois, apesar de, mesmo com, apesar da, apesar do",
    join="e",
    asks="""
        quando vai, quando vão, quando que, por que, por quê, pq, como faço, alguma novidade, alguma previsão
        tem previsão, cadê, qual, quais, o que, que houve, como assim, tem como, vocês podem, podem, poderiam
        será que
    """,
    yes_no_tag="né, ne, certo, não é, hein, ou não, ou nao, não é mesmo, verdade, correto",
    doubt=f"""
        se, talvez, quem sabe, acho, eu acho, achei, achava, penso, creio, espero, esperando, tomara, parece
        parecem, parecia, aparentemente, supostamente, em tese, em teoria, teoricamente, provavelmente
        possivelmente, suponho
        deveria, deveriam, deve, devia, poderia, seria, teria, pode ser, não sei, sei lá, sei la, não tenho certeza
        não tenho a certeza
        ontem, antes, semana passada, mais cedo, anteriormente, era, eram, estava, tava, estavam, funcionava, tinha
        havia, hoje de manhã, outro dia
        às vezes, as vezes, de vez em quando, em parte, parcialmente, pela metade, quase, mais ou menos
        por enquanto, por ora, até agora, até o momento, até ao momento, no momento, atualmente, meio, alguns
        algumas, um pouco, melhor, um pouco melhor, bem melhor, muito melhor
        [menu|teclado|tela|formulário|painel|chat|vídeo|janela|conta|sessão] não fecha mais
        [nenhum|sem] [{_BUG}] [foi |está |] [{_FIXED}], nem sempre, nem tudo, nem todos, não só, nada mal, nada mau
        não é ruim, não em todos, não totalmente, não completamente, não é que
        colega, colegas, amigo, amiga, marido, esposa, esposo, mulher, namorado, namorada, chefe, irmão, irmã, filho
        filha, mãe, pai, alguém, outros, outras, pra você, pra vocês, para você, para vocês, eles, elas, os outros
        vizinho
        amanhã, mais tarde, depois, logo, à noite, hoje à noite, fim de semana, semana que vem, em breve, logo mais
        daqui a pouco
        claro, claro que, aham, sei, até parece, que surpresa, só que não, sqn, imagina, sim sim, tá bom então
        conta outra, me engana que eu gosto, ah tá, ata, parabéns só que não, eu mesmo, eu mesma, eu consertei
        eu resolvi
    """,
    hearsay="disse, disseram, dizem, diz, falou, falaram, fala, segundo, ouvi, dizendo, me disse, me falou",
    unsettled="""
        [vou|vamos|preciso|tenho que|tenho de|deixa eu|deixe me|falta|ia|irei|queria] [testar|ver|tentar|verificar|atualizar|conferir|olhar|experimentar|dar uma olhada|fazer o teste|fazer um teste|baixar|checar|instalar]
        testo, testarei, te aviso, aviso vocês, aviso, já aviso, retorno, volto aqui, já te digo, já vos digo
        aviso já, depois digo, veremos
        não [testei|atualizei|consegui testar|consegui atualizar|tentei|vi|instalei|deu tempo|tive tempo|pude testar|verifiquei|experimentei]
        sem testar, sem tempo
        brincadeira, tô brincando, to brincando, estou a brincar, zoeira, zueira, mentira, esquece, esqueçam
        deixa pra lá, pera, peraí, perai, pera aí, espera, esperem, calma aí, me enganei, erro meu, falha minha
        engano meu, alarme falso
        desinstalei, apaguei, excluí, cancelei, mudei de, mudei para, troquei de, não uso mais, já não uso
        conta errada, desisti, tanto faz, não importa
    """,
    courtesy="""
        obrigado, obrigada, muito obrigado, muito obrigada, obrigadão, obrigadinho, obrigadinha, obg, obgd, brigado
        brigada, brigadão, valeu, valeu mesmo, valeu demais, valeu pessoal, valeu galera, valeu gente, valeu equipe
        vlw, grato, grata, muito grato, muito grata, agradeço, agradecido, agradecida, gratidão, obrigado a todos
        obrigado pessoal, obrigada pessoal, mil obrigados, obrigado mesmo, obrigada mesmo, obrigado equipe
        obrigado gente
        [pela|pelo|por|pelas|por toda a|por todo o] [rápida |ótima |excelente |vossa |sua |rápido |ótimo |excelente |vosso |seu |] [ajuda|solução|correção|rapidez|resposta|atenção|atualização|suporte|retorno|apoio|trabalho|atendimento|agilidade|fix|resolução|esforço|serviço|prontidão|feedback|conserto] [rápida|rápido|tão rápida|]
        por [resolver|resolverem|corrigir|corrigirem|arrumar|arrumarem|consertar|consertarem|avisar|avisarem|responder|responderem|tudo|me ajudar|perguntar] [tão rápido|rápido|isso|o problema|o erro|]
        olá, ola, oi, oie, bom dia, boa tarde, boa noite, abraço, abraços, abs, att, cumprimentos, boa semana
        bom fim de semana, um abraço
        parabéns, parabéns pelo trabalho, parabéns pessoal, parabéns galera, parabéns equipe, parabéns à equipe
        bom trabalho, ótimo trabalho, excelente trabalho, belo trabalho, excelente suporte, ótimo suporte
        excelente atendimento, ótimo atendimento, continuem assim
        vocês são [demais|os melhores|incríveis|feras|top|show|maravilhosos|10|ótimos], mandaram bem
        mandaram muito bem, arrasaram, amo vocês
    """,
    filler=f"""
        o, a, os, as, um, uma, meu, minha, meus, minhas, seu, sua, está, tá, ta, estão, tudo, todos, ambos, isso
        isto, este, esse, eu, estou, tô, foi rápido, aqui
        sim, siim, ss, isso aí, isso mesmo, exato, exatamente, confirmo, confirmado, confirmo que, posso confirmar
        posso confirmar que, com certeza
        {_WELL.replace("|", ", ")}, perfeita, ótimo, ótima, excelente, maravilha, maravilhoso, show, show de bola
        top, beleza, blz, legal, massa, bacana, demais, fantástico, espetáculo, impecável, sensacional, fixe, brutal
        espetacular, uma maravilha, muito bom, bom, joia, jóia, nota 10, nota dez
        nenhum problema, nenhum erro, sem travar, sem travamentos, sem bugs, sem falhas
        atualizei, acabei de [testar|atualizar|verificar|conferir|instalar|experimentar], testei, testado
        atualizado, atualizada, verificado, testei agora, já testei, já atualizei, acabo de testar, reinstalei
        conferi, testei aqui, atualizei aqui, acabei de testar aqui, atualizei o app, atualizei a app
        [depois da|após a|com a|desde a|com essa|com esta|após|na|nesta|nessa] [última |nova |] [atualização|versão|correção]
        com o [update|fix|patch], [com|na|desde|versão] [a |] 0.0, depois de atualizar, após atualizar, atualização
        versão, nova, última, novo, correção
        muito, super, de primeira, logo de primeira, tão rápido, que rapidez, que rápido, rápido, rapidinho
        rapidíssimo, super rápido, muito rápido, que agilidade, que eficiência, na hora, na mesma hora, eba, uhul, uhuu, ufa, oba
        aleluia, graças a deus, amém, que bom, que ótimo, que alívio, que maravilha, que alegria, que felicidade
        bravo, viva, glória, totalmente, completamente, absolutamente, realmente, de verdade, demais da conta
        feliz, contente, muito feliz, satisfeito, satisfeita, aliviado, aliviada, pessoal, galera, gente, equipe
        equipa, time, amigos, moçada, turma, rapaziada, podem fechar o ticket, podem encerrar, caso encerrado
        podem fechar o chamado
    """,
    thing="""
        app, aplicativo, aplicação, aplicativos, site, página, exportação, export, importação, import, login, acesso
        upload, download, downloads, sincronização, busca, pesquisa, filtro, filtros, botão, botões, menu, vídeo
        vídeos, video, videos, som, áudio, imagem, imagens, foto, fotos, câmera, câmara, microfone
        notificações, notificação, mensagens, chat, calendário, agenda, pagamento, pagamentos, carrinho, pedido
        pedidos, conta, senha, configurações, definições, perfil, mapa, mapas, impressão, impressora, backup
        teclado, tela, ecrã, csv, pdf, excel, arquivo, arquivos, ficheiro, ficheiros, relatório, relatórios, fatura
        faturas, nota fiscal, tabela, lista, comentários
        função, funcionalidade, programa, software, bluetooth, assinatura, email, emails, modo escuro, gráfico
        gráficos, formulário, player, reprodução, widget, plugin, extensão, coisa, coisas, painel, exportar
        importar, entrar, salvar, imprimir, boleto, pix, sistema, plataforma
    """,
    stop="""
        me [deixa|deixem|deixe] em paz, [deixem|deixa|deixe] me em paz, me deixa[| quieto| quieta]
        [parem|pare|parar|chega] de [me marcar|mandar mensagem|mandar mensagens|me mandar mensagem|me mandar mensagens|me enviar mensagem|me enviar mensagens|me responder|me contactar|me contatar|me incomodar|encher|encher o saco|me encher|me encher o saco|spam|fazer spam|responder|me mencionar|me perturbar|me escrever|me chamar|mandar isso]
        não me [marquem|marque|mandem mensagem|mandem mensagens|contatem|contactem|mandem|enviem|incomodem|respondam|mencionem|escrevam|perturbem|chamem|mandem mais mensagens|mandem mais nada|enviem mais mensagens|marca|manda] [mais|]
        não quero [mais |] [mensagens|mensagem|receber mensagens|receber mais mensagens|receber respostas|ser contatado|ser contatada|ser contactado|ser marcado|ser marcada|contato|respostas]
        me [descadastra|descadastrem|descadastre|removam|remove|remova|tirem] [da lista|dessa lista|daqui|]
        não [entrem|entre] [mais |] em contato [comigo|]
        quero me descadastrar, quero cancelar as mensagens
        vão se ferrar, vai se ferrar, vão se foder, vai se foder, cala a boca, calem a boca, me esquece, me esqueçam
        vou bloquear, bloqueados, chega por favor, parem por favor, por favor parem, pare por favor
        chega de mensagens, chega de mensagem
    """,
    stop_if_first="""
        para de [me marcar|me mandar mensagem|me mandar mensagens|me enviar mensagem|me enviar mensagens|me responder|me contactar|me contatar|me incomodar|encher|encher o saco|me encher|me encher o saco|fazer spam|me mencionar|me perturbar|me escrever|me chamar|mandar isso]
    """,
    stop_if_alone="""
        pare, parem, para com isso, parem com isso, chega, descadastrar, basta, cancelar inscrição, já chega
    """,
)
