"""The core's own words to customers. Everything else that is said comes from plugins."""

from frontdesk.core.text import Text

FAILED = Text(
    en="Sorry, something went wrong on our side. Your message is kept, and a person can help.",
    zh="抱歉，我们这边出了点问题。您的消息已保存，人工客服可以为您提供帮助。",
    de="Entschuldigung, bei uns ist etwas schiefgegangen. Ihre Nachricht ist gespeichert, und ein Mensch kann helfen.",
    fr="Désolé, une erreur est survenue de notre côté. Votre message est conservé, et une personne peut vous aider.",
    es="Lo sentimos, algo ha fallado por nuestra parte. Su mensaje está guardado, y una persona puede ayudarle.",
)
UNANSWERED = Text(
    en="I don't know the answer to that. Could you say it in other words, or would you rather talk to a person?",
    zh="这个问题我暂时无法回答。您可以换个说法，或者需要我为您转接人工客服吗？",
    de="Darauf weiß ich keine Antwort. Können Sie es anders sagen, oder möchten Sie mit einem Menschen sprechen?",
    fr="Je ne connais pas la réponse. Pouvez-vous le dire autrement, ou préférez-vous parler à une personne ?",
    es="No sé la respuesta. ¿Puede decirlo de otra manera, o prefiere hablar con una persona?",
)
TALK_TO_A_PERSON = Text(
    en="Talk to a person",
    zh="转人工客服",
    de="Mit einem Menschen sprechen",
    fr="Parler à une personne",
    es="Hablar con una persona",
)
ESCALATED = Text(
    en="I'm passing you to a colleague, with everything you have told me. They will answer here.",
    zh="我正在为您转接人工客服，并已附上您提供的所有信息。客服会在这里回复您。",
    de="Ich gebe Sie an eine Kollegin oder einen Kollegen weiter, mit allem, was Sie geschrieben haben. Die Antwort kommt hier.",
    fr="Je vous passe un collègue, avec tout ce que vous m'avez écrit. La réponse arrivera ici.",
    es="Le paso con un compañero, con todo lo que me ha contado. Le responderá aquí.",
)
ABANDONED = Text(
    en="All right, I have dropped that. What else can I do for you?",
    zh="好的，那就先不办理了。还有什么可以帮您？",
    de="Gut, das ist vergessen. Was kann ich sonst für Sie tun?",
    fr="D'accord, on oublie ça. Que puis-je faire d'autre pour vous ?",
    es="De acuerdo, lo dejamos. ¿Qué más puedo hacer por usted?",
)
DECLINED = Text(
    en="All right, nothing was changed.",
    zh="好的，没有做任何更改。",
    de="Gut, es wurde nichts geändert.",
    fr="D'accord, rien n'a été modifié.",
    es="De acuerdo, no se ha cambiado nada.",
)
YES = Text(en="Yes", zh="是", de="Ja", fr="Oui", es="Sí")
NO = Text(en="No", zh="否", de="Nein", fr="Non", es="No")
CLOSED_BUTTON = Text(
    en="That question is closed already. Please tell me again what you need.",
    zh="该问题已关闭，请重新告诉我您的需求。",
    de="Diese Frage ist schon abgeschlossen. Bitte sagen Sie noch einmal, was Sie brauchen.",
    fr="Cette question est déjà close. Dites-moi à nouveau ce qu'il vous faut.",
    es="Esa pregunta ya está cerrada. Dígame de nuevo qué necesita.",
)
NOT_UNDERSTOOD = Text(
    en="I did not get that.",
    zh="抱歉，我没有听懂。",
    de="Das habe ich nicht verstanden.",
    fr="Je n'ai pas compris.",
    es="No lo he entendido.",
)
WHICH_INTENT = Text(
    en="I'm not sure which you mean:",
    zh="我不太确定您的意思，请选择：",
    de="Ich bin nicht sicher, was Sie meinen:",
    fr="Je ne suis pas sûr de ce que vous voulez :",
    es="No estoy seguro de a qué se refiere:",
)
SOMETHING_ELSE = Text(en="Something else", zh="其他", de="Etwas anderes", fr="Autre chose", es="Otra cosa")
WHICH_OTHER = Text(en="Which one, then?", zh="那么是哪一个呢？", de="Welche dann?", fr="Laquelle alors ?", es="¿Cuál entonces?")
ATTACHMENT_ONLY = Text(
    en="Thank you, I have kept the file. I cannot read it myself: tell me in words what you need, or talk to a person.",
    zh="谢谢，文件已收到。我无法读取文件内容，请用文字告诉我您的需求，或转人工客服。",
    de="Danke, die Datei ist gespeichert. Lesen kann ich sie nicht: Schreiben Sie, worum es geht, oder fragen Sie jemanden.",
    fr="Merci, le fichier est conservé. Je ne peux pas le lire : écrivez-moi ce qu'il vous faut, ou parlez à une personne.",
    es="Gracias, el archivo está guardado. No puedo leerlo: escríbame qué necesita, o hable con una persona.",
)
PICTURE_UNSEEN = Text(
    en="Thank you, I have kept the picture. I cannot see it: tell me what it shows, or talk to a person.",
    zh="谢谢，图片已收到。我看不到图片内容，请用文字描述一下，或转人工客服。",
    de="Danke, das Bild ist gespeichert. Sehen kann ich es nicht: Schreiben Sie, was es zeigt, oder fragen Sie jemanden.",
    fr="Merci, l'image est conservée. Je ne peux pas la voir : dites-moi ce qu'elle montre, ou parlez à une personne.",
    es="Gracias, la imagen está guardada. No puedo verla: dígame qué muestra, o hable con una persona.",
)
CANNOT_LISTEN = Text(
    en="Thank you, I have kept your voice message. I cannot listen to it myself: a person can. Or write to me.",
    zh="谢谢，语音消息已收到。我暂时无法收听语音，可以为您转人工客服收听，或者请用文字告诉我您的需求。",
    de="Danke, Ihre Sprachnachricht ist gespeichert. Anhören kann ich sie nicht, ein Mensch schon. Oder schreiben Sie mir.",
    fr="Merci, votre message vocal est conservé. Je ne peux pas l'écouter, mais une personne le peut. Ou écrivez-moi.",
    es="Gracias, su mensaje de voz está guardado. Yo no puedo escucharlo, pero una persona sí. O escríbame qué necesita.",
)
NOTHING_HEARD = Text(
    en="I could not hear anybody speak in your recording. Please try once more, or write to me.",
    zh="这段录音里我没有听到说话声。请再录一次，或者用文字告诉我。",
    de="In Ihrer Aufnahme habe ich niemanden sprechen gehört. Bitte versuchen Sie es noch einmal, oder schreiben Sie mir.",
    fr="Je n'ai entendu personne parler dans votre enregistrement. Réessayez, ou écrivez-moi.",
    es="No he oído hablar a nadie en su grabación. Inténtelo otra vez, o escríbame.",
)
UNREADABLE_RECORDING = Text(
    en="I have kept your recording, but I could not play it. Please record it again, or write to me.",
    zh="录音已保存，但我无法播放。请重新录制，或者用文字告诉我。",
    de="Ihre Aufnahme ist gespeichert, aber ich konnte sie nicht abspielen. Sprechen Sie noch einmal, oder schreiben Sie mir.",
    fr="Votre enregistrement est conservé, mais je n'ai pas pu le lire. Enregistrez-le à nouveau, ou écrivez-moi.",
    es="Su grabación está guardada, pero no he podido reproducirla. Grábela de nuevo, o escríbame.",
)
LONG_RECORDING = Text(
    en="I have kept your recording, but it is too long for me to listen to. Please send a shorter one, or write to me.",
    zh="录音已保存，但太长了，我无法听完。请发送短一些的录音，或者用文字告诉我。",
    de="Ihre Aufnahme ist gespeichert, aber zu lang für mich. Bitte senden Sie eine kürzere, oder schreiben Sie mir.",
    fr="Votre enregistrement est conservé, mais il est trop long pour moi. Envoyez-en un plus court, ou écrivez-moi.",
    es="Su grabación está guardada, pero es demasiado larga para mí. Envíe una más corta, o escríbame.",
)
LISTENING_FAILED = Text(
    en="I have kept your recording, but could not listen to it. Please write to me, or let a person listen to it.",
    zh="录音已保存，但收听时出了问题。请用文字告诉我，或转人工客服收听。",
    de="Ihre Aufnahme ist gespeichert, aber ich konnte sie nicht anhören. Schreiben Sie mir, oder bitten Sie einen Menschen.",
    fr="Votre enregistrement est conservé, mais je n'ai pas pu l'écouter. Écrivez-moi, ou demandez une personne.",
    es="Su grabación está guardada, pero no he podido escucharla. Escríbame, o pida una persona.",
)
RECORDING_MISSING = Text(
    en="Your recording has not reached me. Please record it again, or write to me.",
    zh="我没有收到您的录音。请重新录制，或者用文字告诉我。",
    de="Ihre Aufnahme ist nicht bei mir angekommen. Sprechen Sie noch einmal, oder schreiben Sie mir.",
    fr="Votre enregistrement ne m'est pas parvenu. Enregistrez-le à nouveau, ou écrivez-moi.",
    es="Su grabación no me ha llegado. Grábela otra vez, o escríbame.",
)
HEARD = Text(
    en="I heard: “{words}”. Is that right?",
    zh="我听到的是：“{words}”。对吗？",
    de="Ich habe gehört: „{words}“. Stimmt das?",
    fr="J'ai entendu : « {words} ». Est-ce exact ?",
    es="He oído: «{words}». ¿Es correcto?",
)
SAY_IT_AGAIN = Text(
    en="Then please say it once more, or write it.",
    zh="那请您再说一遍，或者用文字告诉我。",
    de="Dann sagen Sie es bitte noch einmal, oder schreiben Sie es.",
    fr="Alors redites-le, ou écrivez-le, s'il vous plaît.",
    es="Entonces dígalo otra vez, o escríbalo, por favor.",
)
HEARD_BADLY = Text(
    en="I am sorry, I do not hear you well enough. Please write to me, or let a person listen to your recordings.",
    zh="抱歉，我听不太清楚。请用文字告诉我，或转人工客服收听您的录音。",
    de="Es tut mir leid, ich höre Sie nicht gut genug. Schreiben Sie mir bitte, oder bitten Sie einen Menschen zuzuhören.",
    fr="Désolé, je ne vous entends pas assez bien. Écrivez-moi, ou laissez une personne écouter vos enregistrements.",
    es="Lo siento, no le oigo bastante bien. Escríbame, o deje que una persona escuche sus grabaciones.",
)
HELP_INTRO = Text(
    en="I can help you with:",
    zh="我可以帮您：",
    de="Dabei kann ich helfen:",
    fr="Je peux vous aider pour :",
    es="Puedo ayudarle con:",
)
HELP_COMMANDS = Text(en="Commands:", zh="命令：", de="Befehle:", fr="Commandes :", es="Comandos:")
HELP_HELP = Text(en="shows this", zh="显示本帮助", de="zeigt diese Hilfe", fr="affiche cette aide", es="muestra esta ayuda")
HELP_LANGUAGE = Text(
    en="changes the language; `zh` after it is Chinese, for example",
    zh="更改语言，例如在其后加上 `en` 即为英语",
    de="wechselt die Sprache; `en` dahinter ist zum Beispiel Englisch",
    fr="change la langue ; suivi de `en`, par exemple, c'est l'anglais",
    es="cambia el idioma; seguido de `en`, por ejemplo, es inglés",
)
HELP_VOICE = Text(
    en="answers voice messages aloud, too; `off` ends it",
    zh="用语音回复您的语音消息；加 `off` 关闭",
    de="beantwortet Sprachnachrichten auch gesprochen; `off` beendet es",
    fr="répond aussi à voix haute aux messages vocaux ; `off` pour arrêter",
    es="responde también en voz alta a los mensajes de voz; `off` lo termina",
)
VOICE_ON = Text(
    en="When you send a voice message, I will answer aloud, too.",
    zh="您发送语音消息时，我也会用语音回复。",
    de="Wenn Sie eine Sprachnachricht senden, antworte ich auch gesprochen.",
    fr="Quand vous enverrez un message vocal, je répondrai aussi à voix haute.",
    es="Cuando envíe un mensaje de voz, responderé también en voz alta.",
)
VOICE_OFF = Text(
    en="I will answer in writing only.",
    zh="之后我只用文字回复。",
    de="Ich antworte nur noch schriftlich.",
    fr="Je répondrai uniquement par écrit.",
    es="Responderé solo por escrito.",
)
UNKNOWN_COMMAND = Text(
    en="I don't know the command {command}.",
    zh="未知命令 {command}。",
    de="Den Befehl {command} kenne ich nicht.",
    fr="Je ne connais pas la commande {command}.",
    es="No conozco el comando {command}.",
)
LANGUAGE_SET = Text(
    en="We speak English now.",
    zh="现在使用中文交流。",
    de="Wir sprechen jetzt Deutsch.",
    fr="Nous parlons maintenant français.",
    es="Ahora hablamos español.",
)
LANGUAGE_UNKNOWN = Text(
    en="I speak {languages}. For example: `{command} {example}`",
    zh="我会说：{languages}。例如：`{command} {example}`",
    de="Ich spreche {languages}. Zum Beispiel: `{command} {example}`",
    fr="Je parle {languages}. Par exemple : `{command} {example}`",
    es="Hablo {languages}. Por ejemplo: `{command} {example}`",
)
