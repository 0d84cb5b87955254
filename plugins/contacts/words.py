"""What is said about links, and how an account is shown to somebody who may not be its owner."""

from frontdesk.core.contacts import CODE_MINUTES, Identity, Why
from frontdesk.core.text import Text, Words, in_language

CHANNELS: dict[str, Words] = {
    "email": Text(en="e-mail", zh="电子邮件", de="E-Mail", fr="e-mail", es="correo electrónico"),
    "slack": "Slack",
    "telegram": "Telegram",
    "web": Text(en="the chat on our website", zh="网站聊天", de="Chat der Website", fr="le chat du site", es="el chat de la web"),
}
LINK_HELP = Text(
    en="link this account with one of yours on another channel",
    zh="将此账号与您在其他渠道的账号关联",
    de="dieses Konto mit Ihrem Konto auf einem anderen Kanal verknüpfen",
    fr="relier ce compte à votre compte sur un autre canal",
    es="vincular esta cuenta con la suya en otro canal",
)
UNLINK_HELP = Text(
    en="undo the link of this account",
    zh="取消此账号的关联",
    de="die Verknüpfung dieses Kontos aufheben",
    fr="annuler le lien de ce compte",
    es="deshacer el vínculo de esta cuenta",
)
WRITE_THE_CODE = Text(
    en=f"Write this on your other channel within {CODE_MINUTES} minutes, from the account that belongs to this one:\n\n"
    "`link {code}`\n\nShow the code to nobody else: whoever writes it is taken for you.",
    zh=f"请在 {CODE_MINUTES} 分钟内，用您想要关联的账号在另一个渠道发送：\n\n`link {{code}}`\n\n"
    "请不要把验证码告诉任何人：发送它的人会被当作您本人。",
    de=f"Schreiben Sie das innerhalb von {CODE_MINUTES} Minuten auf Ihrem anderen Kanal, mit dem Konto, das zu diesem gehört:\n\n"
    "`link {code}`\n\nZeigen Sie den Code niemandem: Wer ihn schreibt, wird für Sie gehalten.",
    fr=f"Écrivez ceci sur votre autre canal dans les {CODE_MINUTES} minutes, depuis le compte à relier à celui-ci :\n\n"
    "`link {code}`\n\nNe montrez le code à personne : qui l'écrit passe pour vous.",
    es=f"Escriba esto en su otro canal en los próximos {CODE_MINUTES} minutos, desde la cuenta que quiere vincular con esta:\n\n"
    "`link {code}`\n\nNo enseñe el código a nadie: quien lo escriba pasará por usted.",
)
LINKED_WITH = Text(
    en="This account is linked with {others}.",
    zh="此账号已与{others}关联。",
    de="Dieses Konto ist verknüpft mit {others}.",
    fr="Ce compte est relié à {others}.",
    es="Esta cuenta está vinculada con {others}.",
)
SHALL_I_LINK = Text(
    en="The code was made by {account}. Shall I link that account with this one? We will then know that both are you, and our "
    "team sees the conversations of both. If somebody else gave you the code, say no.",
    zh="该验证码来自{account}。要将该账号与此账号关联吗？关联后我们会知道两者都是您本人，客服也能看到两边的对话。如果验证码是别人给您的，请选择“否”。",
    de="Der Code stammt von {account}. Soll ich jenes Konto mit diesem verknüpfen? Dann wissen wir, dass beide Ihnen gehören, "
    "und unser Team sieht die Unterhaltungen beider. Wenn Ihnen jemand anderes den Code gegeben hat, sagen Sie Nein.",
    fr="Le code vient de {account}. Dois-je relier ce compte à celui d'ici ? Nous saurons alors que les deux sont à vous, et "
    "notre équipe verra les conversations des deux. Si quelqu'un d'autre vous a donné le code, dites non.",
    es="El código es de {account}. ¿Vinculo esa cuenta con esta? Así sabremos que las dos son suyas, y nuestro equipo verá las "
    "conversaciones de ambas. Si el código se lo ha dado otra persona, diga que no.",
)
NOT_LINKED = Text(
    en="All right, nothing was linked.",
    zh="好的，没有进行关联。",
    de="Gut, es wurde nichts verknüpft.",
    fr="D'accord, rien n'a été relié.",
    es="De acuerdo, no se ha vinculado nada.",
)
DONE = Text(
    en="Done. {linked} You are still answered wherever you ask. `unlink` undoes it.",
    zh="完成。{linked}您在哪里提问，我们就在哪里回复。发送 `unlink` 可取消关联。",
    de="Erledigt. {linked} Antworten bekommen Sie weiterhin dort, wo Sie fragen. `unlink` hebt die Verknüpfung auf.",
    fr="C'est fait. {linked} Vous recevez toujours la réponse là où vous posez la question. `unlink` annule le lien.",
    es="Hecho. {linked} Seguirá recibiendo la respuesta allí donde pregunte. `unlink` deshace el vínculo.",
)
CODE_WAS_USED = Text(
    en="Your code was used: this account is now linked with {account}. If that was not you, `unlink` undoes it.",
    zh="您的验证码已被使用：此账号现已与{account}关联。如果不是您本人操作，发送 `unlink` 可取消关联。",
    de="Ihr Code wurde benutzt: Dieses Konto ist jetzt verknüpft mit {account}. Wenn Sie das nicht waren, hebt `unlink` es auf.",
    fr="Votre code a été utilisé : ce compte est maintenant relié à {account}. Si ce n'était pas vous, `unlink` l'annule.",
    es="Se ha usado su código: esta cuenta está ahora vinculada con {account}. Si no ha sido usted, `unlink` lo deshace.",
)
SHALL_I_UNLINK = Text(
    en="This account is linked with {others}. Shall I undo that?",
    zh="此账号已与{others}关联。要取消关联吗？",
    de="Dieses Konto ist verknüpft mit {others}. Soll ich das aufheben?",
    fr="Ce compte est relié à {others}. Dois-je annuler ce lien ?",
    es="Esta cuenta está vinculada con {others}. ¿Deshago el vínculo?",
)
UNLINKED = Text(
    en="This account stands alone again.",
    zh="此账号已取消关联。",
    de="Dieses Konto steht wieder für sich.",
    fr="Ce compte n'est plus relié à aucun autre.",
    es="Esta cuenta ya no está vinculada con ninguna otra.",
)
NO_LINK = Text(
    en="This account is not linked with any other.",
    zh="此账号没有与其他账号关联。",
    de="Dieses Konto ist mit keinem anderen verknüpft.",
    fr="Ce compte n'est relié à aucun autre.",
    es="Esta cuenta no está vinculada con ninguna otra.",
)
NO_CODE = Text(
    en="That is no code. Write `link` alone to get one; it looks like `ABCD-2345`.",
    zh="这不是有效的验证码格式。单独发送 `link` 可获取验证码，例如 `ABCD-2345`。",
    de="Das ist kein Code. Schreiben Sie nur `link`, um einen zu bekommen; er sieht aus wie `ABCD-2345`.",
    fr="Ce n'est pas un code. Écrivez seulement `link` pour en obtenir un ; il ressemble à `ABCD-2345`.",
    es="Eso no es un código. Escriba solo `link` para obtener uno; es como `ABCD-2345`.",
)
IN_PRIVATE = Text(
    en="Others read along here. Please write `link` to me in a private conversation.",
    zh="这里还有其他人能看到。请在私聊中向我发送 `link`。",
    de="Hier lesen andere mit. Schreiben Sie mir `link` bitte in einer privaten Unterhaltung.",
    fr="D'autres personnes lisent ici. Écrivez-moi `link` dans une conversation privée.",
    es="Aquí leen otras personas. Escríbame `link` en una conversación privada.",
)
REFUSALS: dict[Why, Text] = {
    "unverified": Text(
        en="This message does not prove that it comes from you, so I cannot link or unlink accounts here.",
        zh="无法确认此消息来自您本人，因此不能在这里关联或取消关联账号。",
        de="Diese Nachricht beweist nicht, dass sie von Ihnen ist; deshalb kann ich hier keine Konten verknüpfen oder trennen.",
        fr="Rien ne prouve que ce message vient de vous ; je ne peux donc ni relier ni séparer de comptes ici.",
        es="Este mensaje no demuestra que es suyo, así que aquí no puedo vincular ni desvincular cuentas.",
    ),
    "unknown": Text(
        en="This code is not valid, or not any more. Write `link` on the other channel to get a new one.",
        zh="此验证码无效或已过期。请在另一个渠道发送 `link` 获取新的验证码。",
        de="Dieser Code gilt nicht oder nicht mehr. Schreiben Sie auf dem anderen Kanal `link`, um einen neuen zu bekommen.",
        fr="Ce code n'est pas valable, ou ne l'est plus. Écrivez `link` sur l'autre canal pour en obtenir un nouveau.",
        es="Este código no es válido o ha caducado. Escriba `link` en el otro canal para obtener uno nuevo.",
    ),
    "same": Text(
        en="This code was made by the account that you are writing from. Write it on your other channel.",
        zh="此验证码就是由当前账号生成的。请在另一个渠道发送。",
        de="Dieser Code stammt von dem Konto, mit dem Sie gerade schreiben. Schreiben Sie ihn auf Ihrem anderen Kanal.",
        fr="Ce code vient du compte avec lequel vous écrivez. Écrivez-le sur votre autre canal.",
        es="Este código es de la cuenta con la que está escribiendo. Escríbalo en su otro canal.",
    ),
    "linked": Text(
        en="These accounts are linked already.",
        zh="这两个账号已经关联。",
        de="Diese Konten sind schon verknüpft.",
        fr="Ces comptes sont déjà reliés.",
        es="Estas cuentas ya están vinculadas.",
    ),
    "too_many": Text(
        en="That was tried too often. Please try again in {minutes} minutes.",
        zh="尝试次数过多，请在 {minutes} 分钟后再试。",
        de="Das wurde zu oft versucht. Bitte versuchen Sie es in {minutes} Minuten wieder.",
        fr="Trop d'essais. Réessayez dans {minutes} minutes.",
        es="Demasiados intentos. Vuelva a probar dentro de {minutes} minutos.",
    ),
}
AND = Text(en=" and ", zh="、", de=" und ", fr=" et ", es=" y ")


def accounts(identities: tuple[Identity, ...], language: str) -> str:
    """The accounts in a sentence, masked."""
    return in_language(AND, language).join(account(identity, language) for identity in identities)


def used(by: Identity, language: str) -> str:
    """What whoever has made a code is told."""
    return CODE_WAS_USED.fitting(language).format(account=account(by, language))


def account(identity: Identity, language: str) -> str:
    """The channel and a name that its owner knows again, and from which nobody else learns it."""
    channel = in_language(CHANNELS.get(identity.channel, identity.channel), language)
    address = identity.contact if "@" in identity.contact else ""
    known = [_masked_address(address)] if address else [" ".join(map(_masked, (identity.name or "").split()[:3]))]
    return f"{channel} ({known[0]})" if known[0] else channel


def _masked_address(address: str) -> str:
    local, _, domain = address.rpartition("@")
    host, _, top = domain.rpartition(".")
    return f"{_masked(local)}@{_masked(host)}.{top}" if top.isalnum() and host else f"{_masked(local)}@••"


def _masked(word: str) -> str:
    return f"{word[0]}••" if word[:1].isalnum() else "••"
