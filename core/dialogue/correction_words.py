"""How people take back what they said, in fourteen languages; phrases separated by " / ".

`abandon`: the whole matter is dropped. No phrase here may be a request of its own: "cancel my order" is one.
`no`: a denial that needs something after it to be a correction. `meant`: what follows is the right value.
`not_this`: the value in hand is wrong. `other`: the one that was not meant so far. `not_but`: "not A but B".
"""

CORRECTIONS: dict[str, dict[str, str]] = {
    "en": {
        "abandon": "forget it / forget about it / forget that / never mind / nevermind / nvm / cancel that"
        " / scratch that / drop it / skip it"
        " / let's drop it / leave it be / doesn't matter / it doesn't matter / don't bother / don't worry about it"
        " / forget i asked",
        "no": "no / nope / nah / sorry / oh sorry / wait / no wait / oops / hold on / wrong",
        "meant": "i meant / i mean / i meant to say / i actually meant / actually / make that / make it / rather"
        " / it should be / should be"
        " / that should be / correction / i wanted to say / it's actually / let me correct that",
        "not_this": "not that one / not this one / not that / not this / wrong one / the wrong one"
        " / that's the wrong one / that's not it / that's not the one",
        "other": "the other one / the other order / the other / other one / a different one / another one",
        "not_but": "not|but",
    },
    "zh": {
        "abandon": "算了 / 算了吧 / 不用了 / 不必了 / 没事了 / 沒事了 / 当我没说 / 當我沒說 / 还是算了 / 那算了"
        " / 不弄了 / 不办了 / 不要了算了",
        "no": "不 / 不是 / 抱歉 / 对不起 / 不好意思 / 等等 / 等一下 / 错了 / 哦不",
        "meant": "不对 / 不對 / 我是说 / 我的意思是 / 我说的是 / 我指的是 / 应该是 / 應該是 / 是 / 其实是 / 更正"
        " / 改成 / 说错了 / 我说错了 / 弄错了",
        "not_this": "不是这个 / 不是这一个 / 不是那个 / 不是這個 / 不是那個 / 不是这单 / 不是那单",
        "other": "另一个 / 另外一个 / 另外那个 / 另一单 / 另一個 / 另外一個 / 另一张 / 另一件 / 另一笔 / 别的那个"
        " / 另一份",
        "not_but": "不是|而是",
    },
    "de": {
        "abandon": "vergiss es / vergessen sie es / vergiss das / schon gut / egal / ist egal / lass es"
        " / lassen sie es / lass gut sein"
        " / hat sich erledigt / lassen wir das / spielt keine rolle / macht nichts / nicht so wichtig",
        "no": "nein / nee / entschuldigung / sorry / moment / warte / halt / falsch",
        "meant": "ich meinte / ich meine / eigentlich / vielmehr / sondern / es sollte / korrektur / richtig ist"
        " / ich wollte sagen",
        "not_this": "nicht das / nicht diese / nicht dieser / nicht dieses / nicht die / nicht der / das falsche"
        " / die falsche / das ist die falsche",
        "other": "die andere / der andere / das andere / den anderen / die andere bestellung / eine andere",
        "not_but": "nicht|sondern",
    },
    "fr": {
        "abandon": "laisse tomber / laissez tomber / oubliez / oublie / oubliez ça / oublie ça / tant pis"
        " / peu importe / ce n'est pas grave"
        " / c'est pas grave / laissez / n'en parlons plus",
        "no": "non / pardon / désolé / désolée / attendez / oups / faux",
        "meant": "je voulais dire / je veux dire / en fait / plutôt / c'est plutôt / correction / je parle de"
        " / je parlais de",
        "not_this": "pas celui-là / pas celle-là / pas celui-ci / pas celle-ci / pas ça / pas cette commande"
        " / ce n'est pas celle-là / ce n'est pas celui-là / ce n'est pas ça",
        "other": "l'autre / l'autre commande / une autre / un autre",
        "not_but": "pas|mais",
    },
    "es": {
        "abandon": "olvídalo / olvídelo / déjalo / déjelo / no importa / da igual / no te preocupes"
        " / ya no importa / déjalo así / olvídate",
        "no": "no / perdón / perdona / lo siento / espera / espere / ups / mal",
        "meant": "quería decir / quise decir / quiero decir / en realidad / más bien / me refiero a / me refería a"
        " / corrección / digo / debería ser",
        "not_this": "ese no / esa no / este no / esta no / no ese / no esa / no este / no es ese / no es esa"
        " / no es este",
        "other": "el otro / la otra / el otro pedido / otro / otra",
        "not_but": "no|sino",
    },
    "pt": {
        "abandon": "esquece / esqueça / deixa pra lá / deixa para lá / deixe para lá / deixa / não importa"
        " / tanto faz / não faz mal / deixa estar",
        "no": "não / desculpe / desculpa / espera / espere / ops / errado",
        "meant": "quis dizer / eu quis dizer / queria dizer / quero dizer / na verdade / aliás / correção"
        " / me refiro a / deveria ser / digo",
        "not_this": "esse não / essa não / este não / esta não / não esse / não essa / não é esse / não é essa"
        " / não é este",
        "other": "o outro / a outra / o outro pedido / outro / outra",
        "not_but": "não|mas sim",
    },
    "it": {
        "abandon": "lascia stare / lasci stare / lascia perdere / lasci perdere / non importa / fa niente"
        " / non fa niente / dimentica / dimentichi"
        " / come non detto",
        "no": "no / scusi / scusa / aspetti / aspetta / ops / sbagliato",
        "meant": "volevo dire / intendevo / intendo / in realtà / anzi / piuttosto / correzione / dovrebbe essere",
        "not_this": "non quello / non quella / non questo / non questa / non è quello / non è quella / quello no"
        " / quella no",
        "other": "l'altro / l'altra / l'altro ordine / un altro / un'altra",
        "not_but": "non|ma",
    },
    "nl": {
        "abandon": "laat maar / vergeet het / vergeet maar / maakt niet uit / het maakt niet uit"
        " / laat maar zitten / niet belangrijk",
        "no": "nee / sorry / wacht / oeps / fout / verkeerd",
        "meant": "ik bedoelde / ik bedoel / eigenlijk / liever / correctie / het moet zijn / ik wilde zeggen",
        "not_this": "niet die / niet deze / niet dat / niet dit / de verkeerde / dat is de verkeerde",
        "other": "de andere / het andere / die andere / de andere bestelling / een andere",
        "not_but": "niet|maar",
    },
    "pl": {
        "abandon": "nieważne / nie ważne / zapomnij / proszę zapomnieć / daj spokój / dajmy spokój"
        " / mniejsza z tym / mniejsza o to / już nieważne"
        " / zostawmy to",
        "no": "nie / przepraszam / chwila / czekaj / ups / źle",
        "meant": "miałem na myśli / miałam na myśli / mam na myśli / chodziło mi o / chodzi mi o / właściwie"
        " / raczej / powinno być / chciałem powiedzieć",
        "not_this": "nie to / nie ten / nie ta / nie tamto / nie tamten / nie o to / to nie to",
        "other": "to drugie / ten drugi / ta druga / tamto drugie / drugie zamówienie / inne / inny / to inne",
        "not_but": "nie|tylko",
    },
    "ru": {
        "abandon": "забудь / забудьте / забудь об этом / забудьте об этом / неважно / не важно / ладно не надо"
        " / проехали / уже не надо / не стоит",
        "no": "нет / извините / простите / стойте / подождите / ой / неверно",
        "meant": "я имел в виду / я имела в виду / имел в виду / имела в виду / я хотел сказать / я хотела сказать"
        " / точнее / вернее / на самом деле / должно быть / а именно",
        "not_this": "не тот / не та / не то / не этот / не эта / не это / не тот заказ",
        "other": "другой / другая / другое / другой заказ / второй",
        "not_but": "не|а",
    },
    "ja": {
        "abandon": "もういいです / やっぱりいいです / 忘れてください / なんでもないです / 何でもないです"
        " / 気にしないでください / やっぱりやめます / もういい / 大丈夫ですもういいです",
        "no": "いいえ / いえ / いや / すみません / ごめんなさい / 待って / 待ってください",
        "meant": "違います / じゃなくて / ではなくて / ではなく / というか / 正しくは / 間違えました / 訂正",
        "not_this": "それじゃない / これじゃない / それではない / それではありません / これではありません"
        " / それじゃなくて / これじゃなくて",
        "other": "別の / もう一つの / もうひとつの / もう一つ / もうひとつ / 他の / もう一方 / 別の注文",
        "not_but": "",
    },
    "ko": {
        "abandon": "됐어요 / 됐습니다 / 됐어 / 신경 쓰지 마세요 / 잊어버리세요 / 잊어 주세요 / 아무것도 아니에요"
        " / 아니에요 됐어요 / 그냥 두세요",
        "no": "아니요 / 아니 / 아뇨 / 죄송합니다 / 죄송해요 / 잠깐만요 / 잠시만요",
        "meant": "제 말은 / 사실은 / 정정 / 그게 아니라 / 아니라 / 말고",
        "not_this": "그거 말고 / 이거 말고 / 그게 아니고 / 그것 말고 / 이것 말고 / 그거 아니에요 / 그게 아니에요",
        "other": "다른 거 / 다른 것 / 다른 주문 / 다른",
        "not_but": "",
    },
    "ar": {
        "abandon": "انس الأمر / انسى الأمر / انس الموضوع / لا يهم / لا عليك / خلاص / دعك من هذا / ما يهم / لا داعي",
        "no": "لا / آسف / عفوا / انتظر / خطأ",
        "meant": "أقصد / قصدت / أعني / كنت أقصد / بل / في الواقع / تصحيح / الصحيح",
        "not_this": "ليس هذا / ليست هذه / ليس ذلك / مش ده / مو هذا",
        "other": "الآخر / الأخرى / الطلب الآخر / الثاني",
        "not_but": "ليس|بل",
    },
    "tr": {
        "abandon": "boş ver / boş verin / boşver / boşverin / unut gitsin / unutun / önemli değil / vazgeçtim"
        " / neyse / gerek kalmadı",
        "no": "hayır / yok / pardon / özür dilerim / bekleyin / bekle / yanlış",
        "meant": "demek istedim / demek istediğim / aslında / daha doğrusu / düzeltme / şunu kastettim / olmalı",
        "not_this": "o değil / bu değil / şu değil / bu değil öbürü / onu değil / bunu değil",
        "other": "diğeri / öbürü / diğer sipariş / öteki / başka / diğer",
        "not_but": "",
    },
}  # fmt: skip
