"""The words of yes and no in fourteen languages, phrases separated by " / ".

`yes` and `no` decide. `dont` is a no that may be followed by what shall not be done. `also` are words that stand beside either
and change nothing. `doing` are words that say what shall be done: they may follow a yes or a `dont`, never a bare no
("no, cancel it" is not clear). `unclear` begins like an answer and is none.
"""

ALL_LANGUAGES = {"yes": "👍 / 👌 / ✅ / ✔ / 🆗", "no": "👎 / ❌ / 🚫", "also": "🙏 / 😊 / 🙂 / 😀"}

YES_NO = {
    "en": {
        "yes": "yes / yes i do / yeah / yep / yup / ya / yea / aye / sure / sure thing / ok / okay / k / of course"
        " / absolutely / definitely"
        " / certainly / correct / right / that's right / that is right / that's correct / that is correct"
        " / exactly / indeed / i do"
        " / go ahead / do it / please do / go for it / sounds good / fine / all right / alright / affirmative"
        " / i confirm / confirm"
        " / confirmed / i agree / agreed / y / no problem / by all means / you bet / i am sure / i'm sure / why not",
        "no": "no / nope / nah / no way / no thanks / no thank you / not now / not really / n / negative / i don't"
        " / i do not / never"
        " / absolutely not / of course not / certainly not / definitely not / rather not / i'd rather not"
        " / i would rather not / not yet"
        " / no i don't / wrong / incorrect / that's wrong / that is wrong / not correct / that's not right"
        " / keep it / leave it",
        "dont": "don't / do not / dont / please don't / i don't want / i do not want / i don't want you to / stop",
        "also": "please / thanks / thank you / very much / then / now / pls / plz / thx / well / oh / uh / um"
        " / that / it is / it's / that is"
        " / sir / so much / much / exactly / just / for now / with it / mate",
        "doing": "cancel / it / this / that / them / the / my / order / orders / to / do / i / want / would like"
        " / would / like / i'd / you can"
        " / can / go ahead / with / proceed / continue / send / delete / refund / change / for me / and / please"
        " / be great / great / be / is"
        " / good / perfect",
        "unclear": "no idea / no clue / no one / not sure / i'm not sure / i am not sure / no doubt / never mind"
        " / nevermind / yes and no"
        " / right now / no more / no longer / no matter / not that one / no not that / i don't know"
        " / i do not know / i don't understand",
    },
    "zh": {
        "yes": "是 / 是的 / 对 / 对的 / 好 / 好的 / 好吧 / 好啊 / 好呀 / 可以 / 可以的 / 行 / 行吧 / 嗯 / 嗯嗯"
        " / 没错 / 没问题 / 当然 / 当然可以 / 确认 / 确定"
        " / 同意 / 要 / 我要 / 要的 / 需要 / 是啊 / 好嘞 / ok / 對 / 對的 / 沒錯 / 沒問題 / 當然 / 確認 / 確定"
        " / 必须的",
        "no": "不 / 不是 / 不是的 / 不要 / 不用 / 不需要 / 不对 / 不行 / 不可以 / 不好 / 不了 / 没有 / 不必"
        " / 先不要 / 不同意 / 不確定要 / 不對 / 沒有 / 不要了",
        "dont": "别 / 不要 / 不想 / 我不想 / 我不要 / 請不要 / 请不要 / 请别",
        "also": "谢谢 / 謝謝 / 请 / 請 / 的 / 了 / 啊 / 吧 / 呢 / 呀 / 哦 / 您 / 你 / 多谢 / 谢谢你 / 谢谢您"
        " / 麻烦 / 麻烦了",
        "doing": "取消 / 订单 / 我的 / 我 / 要 / 想 / 帮我 / 吧 / 这个 / 它 / 退款 / 退货 / 請 / 继续 / 删除 / 修改",
        "unclear": "不知道 / 不确定 / 不清楚 / 是不是 / 要不要 / 可不可以 / 好不好 / 对不起 / 不好意思 / 不明白"
        " / 行不行 / 不是这个 / 是吗 / 好吗 / 可以吗 / 对吗",
    },
    "de": {
        "yes": "ja / jap / jo / jawohl / ja gern / ja gerne / gern / gerne / klar / na klar / sicher / natürlich"
        " / selbstverständlich / genau"
        " / richtig / stimmt / korrekt / ok / okay / in ordnung / einverstanden / auf jeden fall / passt"
        " / mach das / machen sie das / bestätigt"
        " / das ist richtig / das stimmt / unbedingt",
        "no": "nein / nee / nö / ne / nein danke / auf keinen fall / keinesfalls / lieber nicht / nicht"
        " / noch nicht / falsch / stimmt nicht"
        " / das stimmt nicht / natürlich nicht / auf gar keinen fall / niemals",
        "dont": "bitte nicht / ich will nicht / ich möchte nicht",
        "also": "bitte / danke / danke schön / vielen dank / dann / jetzt / so / sehr / mal",
        "doing": "stornieren / stornieren sie / die / meine / bestellung / das / es / ich / möchte / machen"
        " / machen sie / weiter / sie / will",
        "unclear": "keine ahnung / doch / weiss nicht / ich weiss nicht / nicht sicher / jein / ich bin nicht sicher"
        " / nicht das",
    },
    "fr": {
        "yes": "oui / ouais / ouaip / si / bien sûr / d'accord / ok / okay / exactement / exact / tout à fait"
        " / absolument / certainement"
        " / volontiers / c'est ça / c'est bon / correct / parfait / allez-y / vas-y / je confirme / avec plaisir"
        " / bien entendu",
        "no": "non / nan / non merci / pas du tout / pas maintenant / jamais / absolument pas / surtout pas"
        " / pas encore / c'est faux / bien sûr que non",
        "dont": "je ne veux pas / ne / je veux pas",
        "also": "merci / s'il vous plaît / s'il te plaît / svp / stp / beaucoup / alors / monsieur / madame / pas",
        "doing": "annulez / annuler / la / ma / commande / je / veux / le / faites-le / faites / cela / ça / continuez",
        "unclear": "aucune idée / je ne sais pas / je sais pas / pas sûr / oui et non / je ne comprends pas",
    },
    "es": {
        "yes": "sí / claro / claro que sí / por supuesto / vale / ok / okay / de acuerdo / correcto / exacto"
        " / exactamente / así es / bueno"
        " / dale / confirmo / adelante / desde luego / eso es / perfecto / cómo no / hazlo / hágalo",
        "no": "no / no gracias / para nada / nunca / de ninguna manera / en absoluto / claro que no / ahora no"
        " / todavía no / mejor no"
        " / por supuesto que no / incorrecto / nada de eso",
        "dont": "no quiero / no lo / no la",
        "also": "por favor / gracias / muchas gracias / porfa / señor / señora / ya / ahora / pues",
        "doing": "cancelar / cancele / cancela / cancélalo / cancélelo / el / la / mi / pedido / lo / quiero"
        " / hacerlo / haga",
        "unclear": "no sé / no lo sé / ni idea / no estoy seguro / no estoy segura / no entiendo / sí y no",
    },
    "pt": {
        "yes": "sim / claro / claro que sim / com certeza / certo / ok / okay / está bem / tá bom / tá / pode ser"
        " / correto / exato / exatamente"
        " / isso / isso mesmo / confirmo / de acordo / pode / por favor faça / beleza / é isso",
        "no": "não / nao / não obrigado / não obrigada / nunca / de jeito nenhum / claro que não / agora não"
        " / ainda não / melhor não / errado / nem pensar",
        "dont": "não quero / não precisa",
        "also": "por favor / obrigado / obrigada / muito obrigado / muito obrigada / agora / senhor / senhora",
        "doing": "cancelar / cancele / cancela / o / a / meu / minha / pedido / pode / quero / fazer",
        "unclear": "não sei / não tenho certeza / não faço ideia / não entendi / sim e não",
    },
    "it": {
        "yes": "sì / certo / certamente / sicuro / va bene / ok / okay / d'accordo / esatto / esattamente / giusto"
        " / corretto / naturalmente"
        " / assolutamente sì / confermo / proceda / procedi / volentieri / perfetto / sì grazie / ovvio",
        "no": "no / no grazie / assolutamente no / mai / per niente / non ora / non ancora / sbagliato"
        " / meglio di no / certo che no / niente affatto",
        "dont": "non voglio / non",
        "also": "per favore / grazie / grazie mille / per piacere / prego / adesso / ora",
        "doing": "annulli / annulla / annullare / l'ordine / il / mio / ordine / lo / voglio / fare / faccia",
        "unclear": "non so / non lo so / nessuna idea / non sono sicuro / non sono sicura / non capisco / sì e no",
    },
    "nl": {
        "yes": "ja / jawel / jazeker / zeker / natuurlijk / tuurlijk / graag / ja graag / ok / oké / okay / goed"
        " / prima / klopt / dat klopt / juist"
        " / akkoord / doe maar / is goed / inderdaad / precies / absoluut / jep / yes",
        "no": "nee / neen / nee bedankt / nee dank je / nee dank u / liever niet / nooit / niet / zeker niet"
        " / nog niet / klopt niet / dat klopt niet"
        " / absoluut niet / natuurlijk niet / nee hoor",
        "dont": "ik wil niet",
        "also": "alsjeblieft / alstublieft / bedankt / dank je / dank u / dank je wel / dank u wel / hoor / nu / dan",
        "doing": "annuleer / annuleren / mijn / de / bestelling / het / dat / ik / wil / maar",
        "unclear": "geen idee / weet ik niet / ik weet het niet / weet niet / niet zeker / ja en nee"
        " / ik snap het niet",
    },
    "pl": {
        "yes": "tak / jasne / oczywiście / pewnie / dobrze / zgoda / zgadza się / ok / okej / owszem / potwierdzam"
        " / dokładnie / racja / w porządku"
        " / proszę bardzo / jak najbardziej / no tak / poproszę",
        "no": "nie / nie dziękuję / nigdy / wcale nie / absolutnie nie / oczywiście że nie / jeszcze nie"
        " / nie teraz / raczej nie / nie zgadza się / niee",
        "dont": "nie chcę / proszę nie",
        "also": "proszę / dziękuję / dzięki / bardzo / teraz / pan / pani",
        "doing": "anuluj / anulować / proszę / moje / zamówienie / to / chcę / zróbcie",
        "unclear": "no / nie wiem / nie mam pojęcia / nie jestem pewien / nie jestem pewna / nie rozumiem / tak i nie",
    },
    "ru": {
        "yes": "да / ага / угу / конечно / хорошо / ладно / верно / правильно / точно / согласен / согласна"
        " / подтверждаю / ок / окей / именно"
        " / разумеется / безусловно / давайте / давай / все верно / так и есть / да конечно / можно",
        "no": "нет / не / неа / нет спасибо / не надо / не нужно / никогда / ни в коем случае / конечно нет"
        " / неверно / неправильно / пока нет"
        " / не сейчас / лучше не надо / не хочу",
        "dont": "я не хочу / не хочу / не надо",
        "also": "пожалуйста / спасибо / большое спасибо / сейчас / уже / тогда",
        "doing": "отмените / отменить / отмени / мой / заказ / его / это / хочу / я / сделайте",
        "unclear": "не знаю / я не знаю / без понятия / не уверен / не уверена / не понимаю / и да и нет / да нет"
        " / не тот",
    },
    "ja": {
        "yes": "はい / ええ / うん / そうです / その通りです / もちろん / もちろんです / お願いします / お願い"
        " / いいです / いいですよ / 了解 / 了解です"
        " / 確認しました / オーケー / オッケー / ok / 間違いありません / 承知しました / それでお願いします"
        " / 合っています",
        "no": "いいえ / いえ / いや / ううん / 違います / ちがいます / 結構です / やめます / やめておきます"
        " / いりません / 不要です / だめです / 間違っています / 必要ありません",
        "dont": "しないで / しないでください / キャンセルしないで / キャンセルしないでください",
        "also": "ありがとう / ありがとうございます / どうも / すみません / ぜひ / です / ます / それで / ね / よ",
        "doing": "キャンセル / キャンセルして / してください / ください / 注文 / を / 注文を / 続けて",
        "unclear": "わかりません / 大丈夫です / 分かりません / 知りません / どちらでもいいです / 大丈夫ですか / いいですか"
        " / はいいいえ / いいえて",
    },
    "ko": {
        "yes": "네 / 예 / 응 / 어 / 그래 / 그래요 / 맞아요 / 맞습니다 / 맞아 / 좋아요 / 좋습니다 / 물론 / 물론이죠"
        " / 물론입니다 / 알겠습니다 / 확인 / 확인했습니다"
        " / 그렇습니다 / 해주세요 / 해 주세요 / 부탁해요 / 부탁드립니다 / 오케이 / ok / 넵 / 당연하죠 / 동의합니다",
        "no": "아니요 / 아니오 / 아뇨 / 아니 / 아닙니다 / 아니에요 / 싫어요 / 싫습니다"
        " / 됐어요 / 됐습니다 / 틀렸어요 / 안 돼요 / 안돼요 / 필요 없어요 / 필요없어요",
        "dont": "하지 마세요 / 하지마세요 / 취소하지 마세요 / 취소하지 마",
        "also": "감사합니다 / 고마워요 / 고맙습니다 / 제발 / 요 / 부탁",
        "doing": "취소 / 취소해 / 주세요 / 취소해 주세요 / 취소해주세요 / 주문 / 주문을",
        "unclear": "몰라요 / 괜찮아요 / 괜찮습니다 / 모르겠어요 / 모르겠습니다 / 잘 모르겠어요 / 잘 모르겠습니다",
    },
    "ar": {
        "yes": "نعم / أجل / ايوه / أيوه / ايوا / بلى / طبعا / طبعاً / بالتأكيد / أكيد / حسنا / حسناً / موافق"
        " / موافقة / تمام / صحيح / اوكي / أوكي"
        " / ماشي / بالطبع / أؤكد / ok",
        "no": "لا / كلا / لا شكرا / لا شكراً / أبدا / أبداً / ليس الآن / غير صحيح / خطأ / بالطبع لا / مش عايز"
        " / لا أريد / ليس بعد",
        "dont": "لا أريد / لا تقم",
        "also": "من فضلك / لو سمحت / شكرا / شكراً / شكرا لك / الآن / جزيلا / رجاء",
        "doing": "ألغ / إلغاء / الطلب / طلبي / أريد / قم / ب",
        "unclear": "لا أعرف / لا أعلم / لا أدري / لست متأكدا / لا أفهم / مش عارف / لا مشكلة / نعم ولا",
    },
    "tr": {
        "yes": "evet / tabii / tabii ki / elbette / tamam / olur / doğru / kesinlikle / aynen / peki / onaylıyorum"
        " / ok / okey / eminim / lütfen yapın"
        " / evet lütfen / he / hı hı / öyle",
        "no": "hayır / yok / hayır teşekkürler / asla / istemiyorum / olmaz / yanlış / gerek yok / değil"
        " / doğru değil / kesinlikle hayır / tabii ki hayır / şimdi değil / henüz değil",
        "dont": "iptal etme / iptal etmeyin / yapmayın",
        "also": "lütfen / teşekkürler / teşekkür ederim / sağ olun / sağol / şimdi / çok",
        "doing": "iptal / edin / et / siparişimi / siparişi / istiyorum / devam / yapın",
        "unclear": "bilmiyorum / emin değilim / fikrim yok / anlamadım / hiç bilmiyorum",
    },
}  # fmt: skip
