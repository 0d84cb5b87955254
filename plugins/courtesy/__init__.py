"""Greetings and goodbyes. Thanks and a goodbye close the matter."""

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
GOODBYE = Text(
    en="Goodbye, and have a nice day!",
    zh="再见，祝您生活愉快！",
    de="Auf Wiedersehen und einen schönen Tag!",
    fr="Au revoir et bonne journée !",
    es="¡Adiós y que tenga un buen día!",
)


@plugin.intent(
    "greeting",
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
    "thanks",
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
    description=Text(en="Say goodbye", zh="道别", de="Sich verabschieden", fr="Dire au revoir", es="Despedirse"),
    examples=[
        "bye", "goodbye", "bye bye", "see you", "have a nice day", "that's all, bye", "good night", "talk to you later",
        "再见", "拜拜", "那就这样吧，再见", "没事了，再见", "回头见", "晚安",
        "tschüss", "auf Wiedersehen", "schönen Tag noch", "au revoir", "bonne journée", "adiós", "hasta luego",
    ],
)  # fmt: skip
async def goodbye(turn: Turn) -> Reply:
    return Reply(GOODBYE, resolves=True)
