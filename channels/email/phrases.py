"""What a mail says beside the reply, in the customer's language."""

from frontdesk.core.text import Text

WROTE = Text(
    en="On {date}, {name} wrote:",
    de="Am {date} schrieb {name}:",
    fr="Le {date}, {name} a écrit :",
    es="El {date}, {name} escribió:",
    pt="Em {date}, {name} escreveu:",
    it="Il {date}, {name} ha scritto:",
    nl="Op {date} schreef {name}:",
    pl="W dniu {date} {name} napisał(a):",
    ru="{date}, {name} пишет:",
    zh="{name} 于 {date} 写道：",
    ja="{date}、{name} さんが書きました：",
    ko="{date}, {name}님이 작성:",
    ar="في {date}، كتب {name}:",
)
CHOOSE = Text(
    en="Please answer with a number.",
    de="Bitte antworten Sie mit einer Nummer.",
    fr="Merci de répondre par un numéro.",
    es="Responda con un número, por favor.",
    pt="Responda com um número, por favor.",
    it="Risponda con un numero, per favore.",
    nl="Antwoord met een nummer, alstublieft.",
    pl="Proszę odpowiedzieć numerem.",
    ru="Пожалуйста, ответьте номером.",
    zh="请回复数字。",
    ja="番号でご返信ください。",
    ko="번호로 답장해 주세요.",
    ar="يرجى الرد برقم.",
)
CORRECTION = Text(
    en="A correction of my earlier message:",
    de="Eine Berichtigung meiner früheren Nachricht:",
    fr="Une correction de mon message précédent :",
    es="Una corrección de mi mensaje anterior:",
    pt="Uma correção da minha mensagem anterior:",
    it="Una correzione del mio messaggio precedente:",
    nl="Een correctie van mijn eerdere bericht:",
    pl="Korekta mojej wcześniejszej wiadomości:",
    ru="Исправление моего предыдущего сообщения:",
    zh="更正我之前的消息：",
    ja="先ほどのメッセージの訂正です：",
    ko="이전 메시지를 정정합니다:",
    ar="تصحيح لرسالتي السابقة:",
)
SUBJECT = Text(
    en="Your message",
    de="Ihre Nachricht",
    fr="Votre message",
    es="Su mensaje",
    pt="A sua mensagem",
    it="Il suo messaggio",
    nl="Uw bericht",
    pl="Twoja wiadomość",
    ru="Ваше сообщение",
    zh="您的来信",
    ja="お問い合わせ",
    ko="문의하신 내용",
    ar="رسالتكم",
)
RIGHT_TO_LEFT = frozenset(("ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"))


def direction(language: str) -> str:
    """For the attribute `dir`."""
    return "rtl" if language.lower().partition("-")[0] in RIGHT_TO_LEFT else "ltr"
