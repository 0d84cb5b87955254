"""What machines add to a mail: disclaimers, mailing list and virus scanner footers, unsubscribe lines, "external sender"."""

import re
from collections.abc import Sequence

from frontdesk.channels.email.quotes.lines import clean

#: One of these makes a paragraph a footer.
_ALONE = (
    r"avast(?:\.com| logo)|avg\.com|virus-?free\.|virenfrei\.|checked by (?:avg|avast)|scanned (?:by|for viruses)|"
    r"(?:this|diese|cet|este|questa?|ta|denne|tento) ?.{0,30}(?:avast|avg|kaspersky|norton|mcafee|eset|sophos|mimecast|"
    r"mailscanner)|"
    r"no virus found in this|esta mensagem foi verificada|l'absence de virus|ce message a été vérifié par|"
    r"wolne od wirusów|sin virus\. www|"
    r"please consider the environment|think before (?:you )?print|do(?:n't| not) print this e-?mail|save a tree|"
    r"pensez à l'environnement|pense à l'environnement|bitte (?:prüfen|denken|überlegen) sie.{0,40}(?:drucken|umwelt)|"
    r"denken sie an die umwelt|"
    r"antes de imprimir|prima di stampare|denk aan het milieu|zanim wydrukujesz|подумайте об? .{0,20}природ|"
    r"tänk på miljön|tænk på miljøet|"
    r"you (?:are receiving|received|have received|get) this (?:message|e-?mail|mail) because|"
    r"to unsubscribe (?:from|send|click|visit|please|e-?mail|reply)|unsubscribe from this (?:group|list|thread)|"
    r"click here to unsubscribe|"
    r"to stop receiving (?:emails|these|notification)|manage your (?:subscription|notification)|list-unsubscribe|"
    r"mailing list\s*\n\S+@\S+|/mailman/listinfo/|groups\.google\.com/|groups\.io/g/|"
    r"um (?:sich|diese|dieses) .{0,60}abzumelden|(?:newsletter|mailingliste) abbestellen|pour (?:se|vous) désabonner|"
    r"se désinscrire de|"
    r"para (?:darse de baja|cancelar (?:la|su) suscripci)|darse de baja de|para cancelar a (?:sua )?inscri|"
    r"per (?:annullare l'iscrizione|disiscrivert?s?i)|om (?:je|u|uw) (?:af te melden|uit te schrijven)|"
    r"aby (?:wypisać|zrezygnować)|чтобы отписаться|отписаться от|退订|取消订阅|取消訂閱|配信停止|配信解除|수신 ?거부|"
    r"إلغاء الاشتراك|"
    r"reply to this e-?mail directly or view it on|view it on github"
)
#: Two of these make one, or three different words of the same.
_TOGETHER = (
    (
        r"intended (?:solely |only |exclusively )?(?:recipient|for (?:the|use))|(?:intended|named|original) (?:addressee|"
        r"recipient)|"
        r"not the (?:intended|named|addressee)|sole use of|individual(?:\(s\)|s)? or entit"
    ),
    r"confidential|confidentiality notice",
    r"privileged|legally binding",
    r"in error|by mistake|erroneously|mistakenly",
    (
        r"notify the sender|inform the sender|contact the sender|advise the sender|notify us|notify .{0,30}immediately|"
        r"immediately notify"
    ),
    r"delete (?:this|the|it|all)|destroy (?:this|the|it|all)",
    r"unauthori[sz]ed|strictly prohibited|is prohibited|dissemination|disclosure|may be unlawful",
    (
        r"(?:accepts?|accept any) (?:no |any )?(?:liability|responsibility)|views or opinions|opinions expressed|"
        r"registered in (?:england|scotland|ireland)"
    ),
    (
        r"vertraulich|rechtlich geschützt|bestimmungsgemäße[rn]? (?:empfänger|adressat)|nicht der (?:richtige|beabsichtigte|"
        r"vorgesehene|bestimmungs)"
    ),
    (
        r"irrtümlich|versehentlich erhalten|informieren sie (?:bitte )?(?:sofort |umgehend )?den absender|unbefugte|"
        r"vernichten sie|unerlaubte[s]? (?:kopieren|weitergabe)|nicht gestattet"
    ),
    (
        r"confidentiel|strictement (?:confidentiel|réservé)|à l'(?:attention|intention) exclusive|destinataire(?:s)? (?:prévu|"
        r"désigné|visé)"
    ),
    (
        r"par erreur|avertir (?:immédiatement )?l'expéditeur|prévenir l'expéditeur|toute (?:diffusion|utilisation|copie|"
        r"publication)|le détruire|"
        r"pas le destinataire"
    ),
    r"confidencial|exclusivamente (?:a|para|al)|dirigid[oa] (?:exclusivamente|únicamente)|uso exclusivo|privilegiad",
    (
        r"por error|por engano|notif(?:íquelo|icar|ique).{0,40}remitente|comuni(?:que|quese|car).{0,40}remitente|prohibid[oa]|"
        r"proibid[oa]|"
        r"no es (?:usted )?el destinatario|não (?:é|seja) o destinatário|destinatário"
    ),
    (
        r"riservat[eiao]|confidenzial|esclusivamente (?:al|a|per)|per errore|avvisare il mittente|"
        r"darne (?:immediata )?comunicazione|"
        r"d\.? ?lgs|regolamento \(?ue|vietat[aoi]"
    ),
    r"gdpr|2016/679|rgpd|dsgvo",
    (
        r"vertrouwelijk|uitsluitend bestemd|geadresseerde|per abuis|ten onrechte|niet toegestaan|afzender (?:te informeren|"
        r"op de hoogte)|"
        r"onbedoeld|niet de bedoelde ontvanger"
    ),
    (
        r"poufn|wyłącznie dla|zamierzonym (?:adresatem|odbiorcą)|adresatem|omyłkowo|przez pomyłkę|niedozwolone|zabronion|"
        r"powiadomi(?:ć|enie)"
    ),
    (
        r"конфиденциальн|исключительно для|по ошибке|не являетесь (?:адресатом|получателем)|уведом(?:ите|ить)|запрещ|"
        r"конфіденційн|помилково|заборон"
    ),
    (
        r"保密|机密|機密|仅供|僅供|指定的?收件人|收件人使用|误收|誤收|错误地?收到|错发|非指定|立即(?:通知|删除|刪除)|未经授权|"
        r"未經授權|禁止"
    ),
    r"秘密|機密情報|宛先以外|受信者|誤(?:って|送信)|削除|破棄|禁じ|無断",
    r"기밀|비밀|수신인|잘못 (?:수신|전송|받)|삭제|금지|지정된 수신|무단",
    r"سرية|سري|خصوصية|المرسل إليه|بالخطأ|عن طريق الخطأ|حذف|محظور|المعني",
    (
        r"konfidentiell|fortrolig|sekretess|avsedd|tiltænkt|tilsigtede|rette (?:modtager|mottaker)|av misstag|ved en (?:fejl|"
        r"feil)|luottamuksellinen|"
        r"vastaanottaja|erehdyksessä|důvěrn|určen|omylem|gizli|yanlışlıkla|yetkisiz|bảo mật|nhầm|người nhận"
    ),
)
_BANNER = re.compile(
    r"\W{0,6}(?:(?:caution|warning|attention|be careful|external e-?mail|external sender|external|extern|externe e-?mail|"
    r"achtung|vorsicht|notice|"
    r"cautela|avertissement|atención|externo|esterno|暗告|外部邮件|"
    r"外部メール)\b.{0,12}[:!\]\-–—].{0,40})?(?:.{0,40}(?:originated (?:from )?outside|"
    r"originates from outside|came from outside|external (?:sender|source|e-?mail)|from outside (?:of )?(?:the|your|"
    r"our) organi[sz]ation|"
    r"von (?:einem )?extern|außerhalb (?:der|ihrer|unserer)|expéditeur externe|provient de l'extérieur|remitente externo|"
    r"fuera de la organizaci|"
    r"externe afzender|mittente esterno|外部(?:发件人|寄件|邮件|メール))|.{0,30}you don't often get (?:an? )?e-?mail from|"
    r".{0,30}sie erhalten nicht (?:häufig|oft) e-mails von|\[extern(?:al|e)?(?: e-?mail| sender)?\]\W*$)"
)
_PROVES_ALONE = re.compile(_ALONE)
_PROVES_TOGETHER = tuple(re.compile(pattern) for pattern in _TOGETHER)
_LIST_RULE = re.compile(r"[_\-=]{20,}")
_MOST = 6000


def is_footer(paragraph: str) -> bool:
    """Whether the paragraph (lines joined by newlines) was added by a machine or a legal department."""
    text = paragraph[:_MOST].casefold()
    if _PROVES_ALONE.search(text):
        return len(text) < 1500
    if len(text) < (70 if text.isascii() else 24):
        return False
    found = [{match[0] for match in pattern.finditer(text)} for pattern in _PROVES_TOGETHER]
    return sum(map(bool, found)) >= 2 or max(map(len, found)) >= 3


def is_banner(paragraph: str) -> bool:
    """Whether the paragraph is a mail gateway's warning above the text."""
    return len(paragraph) < 700 and _BANNER.match(paragraph.casefold()) is not None


def paragraphs(lines: Sequence[str], start: int = 0) -> list[tuple[int, int]]:
    """Where the paragraphs begin and end."""
    found: list[tuple[int, int]] = []
    begin = -1
    for index in range(start, len(lines)):
        if clean(lines[index]):
            begin = index if begin < 0 else begin
        elif begin >= 0:
            found.append((begin, index))
            begin = -1
    if begin >= 0:
        found.append((begin, len(lines)))
    return found


def _footer_start(lines: Sequence[str], begin: int, end: int) -> int:
    """The first line of a footer in a paragraph that may hold text above it: a rule of a mailing list separates them."""
    for index in range(begin, end):
        if (
            _LIST_RULE.fullmatch(clean(lines[index]))
            and index > begin
            and is_footer("\n".join(map(clean, lines[index + 1 : end])))
        ):
            return index
    return begin if is_footer("\n".join(map(clean, lines[begin:end]))) else end


def cut_footers(lines: Sequence[str], start: int = 0) -> int:
    """Where the footers at the end begin, or `len(lines)`. A disclaimer above a few other paragraphs takes them with it."""
    blocks = paragraphs(lines, start)
    cut = len(lines)
    for number, (begin, end) in enumerate(reversed(blocks)):
        found = _footer_start(lines, begin, end)
        if found < end:
            cut = found
            if found > begin:
                break
        elif number > 4:
            break
    return cut
