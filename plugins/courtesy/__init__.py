"""Greetings, small words and goodbyes. Thanks and a goodbye close the matter."""

from frontdesk.core.dialogue import phrases
from frontdesk.core.messages import Choice
from frontdesk.core.outcomes import Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.text import Text
from frontdesk.core.turn import Turn

plugin = Plugin("courtesy", description="Greetings, thanks and goodbyes")

HELLO = Text(
    en="Hello! What can I do for you?",
    zh="您好！请问有什么可以帮您？",
    de="Guten Tag! Was kann ich für Sie tun?",
    fr="Bonjour ! Que puis-je faire pour vous ?",
    es="¡Hola! ¿En qué puedo ayudarle?",
)
WELCOME = Text(
    en="You're welcome! Write again whenever you need something.",
    zh="不客气！有需要随时联系我们。",
    de="Gern geschehen! Schreiben Sie jederzeit wieder.",
    fr="Avec plaisir ! Écrivez-nous quand vous voulez.",
    es="¡De nada! Escríbanos cuando lo necesite.",
)
ALL_RIGHT = Text(
    en="All right. Just tell me when you need something.",
    zh="好的，有需要请随时告诉我。",
    de="In Ordnung. Sagen Sie einfach, wenn Sie etwas brauchen.",
    fr="D'accord. Dites-moi si vous avez besoin de quelque chose.",
    es="De acuerdo. Dígame si necesita algo.",
)
HELP = Text(
    en="I answer questions about the shop, and I can call a person. What is it about?",
    zh="我可以回答有关本店的问题，也可以为您转接人工客服。请问您想了解什么？",
    de="Ich beantworte Fragen und kann einen Menschen rufen. Worum geht es?",
    fr="Je réponds à vos questions et je peux appeler une personne. De quoi s'agit-il ?",
    es="Respondo a preguntas y puedo avisar a una persona. ¿De qué se trata?",
)
WHAT_I_CAN_DO = Text(en="What I can do", zh="我能做什么", de="Was ich kann", fr="Ce que je sais faire", es="Lo que sé hacer")
GOODBYE = Text(
    en="Goodbye, and have a nice day!",
    zh="再见，祝您生活愉快！",
    de="Auf Wiedersehen und einen schönen Tag!",
    fr="Au revoir et bonne journée !",
    es="¡Adiós y que tenga un buen día!",
)


@plugin.intent(
    "greeting",
    offered=False,
    description=Text(en="Say hello", zh="打招呼", de="Grüßen", fr="Dire bonjour", es="Saludar"),
    examples=[
        "hello", "hi", "hi there", "hey", "good morning", "good afternoon", "good evening", "hello, is anybody there?", "hey bot",
        "你好", "您好", "早上好", "下午好", "在吗", "有人吗", "嗨",
        "hallo", "guten Tag", "guten Morgen", "moin", "bonjour", "salut", "bonsoir", "hola", "buenos días", "buenas tardes",
    ],
)  # fmt: skip
async def greeting(turn: Turn) -> Reply:
    return Reply(HELLO)


@plugin.intent(
    "acknowledgement",
    offered=False,
    description=Text(en="Nothing more", zh="没有别的了", de="Nichts weiter", fr="Rien d'autre", es="Nada más"),
    examples=[
        "ok", "okay", "yes", "no", "yep", "nope", "alright", "all right", "fine", "got it", "I see", "no thank you", "never mind",
        "actually yes", "sure", "hm", "👍",
        "好的", "好", "嗯", "嗯嗯", "是的", "不用了", "不是", "知道了", "明白了", "算了", "行",
        "ja", "nein", "gut", "in Ordnung", "oui", "non", "d'accord", "sí", "vale", "de acuerdo",
    ],
)  # fmt: skip
async def acknowledgement(turn: Turn) -> Reply:
    """What stands alone where nothing was asked."""
    return Reply(ALL_RIGHT)


@plugin.intent(
    "help",
    offered=False,
    description=Text(
        en="See what I can do", zh="查看我能做什么", de="Sehen, was ich kann", fr="Voir mes fonctions", es="Ver mis funciones"
    ),
    examples=[
        "help", "help me", "I need help", "can you help me?", "what can you do?", "what can you help me with",
        "how does this work", "I don't know what to do", "what can I ask you",
        "帮助", "你能做什么", "你会什么", "我需要帮助", "可以帮我吗", "怎么用",
        "Hilfe", "was kannst du?", "aide", "que peux-tu faire ?", "ayuda", "¿qué puedes hacer?",
    ],
)  # fmt: skip
async def what_i_can_do(turn: Turn) -> Reply:
    return Reply(HELP, choices=[Choice(turn.say(WHAT_I_CAN_DO), "/help"), Choice(turn.say(phrases.TALK_TO_A_PERSON), "/human")])


@plugin.intent(
    "thanks",
    offered=False,
    description=Text(en="Say thank you", zh="道谢", de="Danke sagen", fr="Dire merci", es="Dar las gracias"),
    examples=[
        "thanks", "thank you", "thank you so much", "thanks a lot for your help", "great, thanks", "perfect, that helped",
        "cheers", "that's all I needed, thank you", "brilliant, thank you very much", "you have been very helpful",
        "谢谢", "谢谢你", "非常感谢", "太好了，谢谢", "多谢", "好的，谢谢您的帮助", "没有其他问题了，谢谢",
        "danke", "vielen Dank", "danke für die Hilfe", "merci", "merci beaucoup", "gracias", "muchas gracias",
    ],
)  # fmt: skip
async def thanks(turn: Turn) -> Reply:
    return Reply(WELCOME, resolves=True)


@plugin.intent(
    "goodbye",
    offered=False,
    description=Text(en="Say goodbye", zh="道别", de="Sich verabschieden", fr="Dire au revoir", es="Despedirse"),
    examples=[
        "bye", "goodbye", "bye bye", "see you", "have a nice day", "that's all, bye", "good night", "talk to you later",
        "再见", "拜拜", "那就这样吧，再见", "没事了，再见", "回头见", "晚安",
        "tschüss", "auf Wiedersehen", "schönen Tag noch", "au revoir", "bonne journée", "adiós", "hasta luego",
    ],
)  # fmt: skip
async def goodbye(turn: Turn) -> Reply:
    return Reply(GOODBYE, resolves=True)
