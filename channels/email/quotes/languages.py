"""The words that mail programs put around a reply, by language. Everything is compared casefolded.

They are what Gmail, Outlook (desktop, web, mobile), Apple Mail, Thunderbird, Yahoo, Yandex, Mail.ru, QQ, NetEase, Naver and K-9
write in that language.
"""

from dataclasses import dataclass


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|")) if text else ()


@dataclass(frozen=True, slots=True)
class Language:
    """Alternatives are separated by `|`.

    `wrote`: the verb of an attribution line. `begins`: the words that open one, before the date. `pronouns`: who writes in a
    sentence but never in an attribution. `from_`, `date`, `to`, `cc`, `subject`: names of header fields. `original`: what stands
    between the dashes above a quoted or forwarded message. `sent`: a regular expression for device lines. `closings` end a letter
    by themselves; `thanks` only when a name follows.
    """

    wrote: str
    begins: str
    pronouns: str
    from_: str
    date: str
    to: str
    cc: str
    subject: str
    original: str
    sent: str
    closings: str
    thanks: str


LANGUAGES: dict[str, Language] = {
    "en": Language(
        wrote="wrote|writes|has written",
        begins="on|at|in a message dated|in a message from",
        pronouns="i|you|we|he|she|they|which|that|who|it",
        from_="from|sender",
        date="sent|date|sent at|sent on|date sent",
        to="to|reply-to|reply to",
        cc="cc|bcc|copy",
        subject="subject|subj",
        original="original message|original appointment|original email|original e-mail|forwarded message|forwarded by|"
        "begin forwarded message|"
        "forwarded email|forwarded e-mail|reply message|replied message|message transferred|original mail|"
        "start of forwarded message",
        sent=r"(?:this (?:e-?mail|message) was )?sent (?:from|via|with|using|by|on) .+|get outlook for .+|from (?:my|"
        r"mobile) .+|\w+ from mobile|"
        r"sent from (?:mobile|outlook.*)|download .+ for (?:ios|android)|composed (?:on|with) .+",
        closings="best regards|kind regards|kindest regards|warm regards|warmest regards|many regards|with kind regards|"
        "with best regards|regards|"
        "best wishes|with best wishes|all the best|sincerely|sincerely yours|yours sincerely|yours truly|yours faithfully|"
        "respectfully|"
        "respectfully yours|very truly yours|with regards|cordially|br|rgds|kr|thanks and regards|thanks & regards|"
        "thank you and best regards|thank you and kind regards|thanks and best regards|many thanks and best regards|"
        "thanks and kind regards",
        thanks="thanks|thank you|many thanks|thanks a lot|thanks again|thanks in advance|thank you in advance|"
        "thank you very much|thanks so much|"
        "cheers|best|warmly|take care|yours|love|thx|ta|talk soon|see you|have a nice day|have a great day",
    ),
    "de": Language(
        wrote="schrieb|schreibt|hat geschrieben|geschrieben|schrieben",
        begins="am|von|an diesem",
        pronouns="ich|sie|wir|er|du|ihr|ihnen|uns",
        from_="von|absender",
        date="gesendet|datum|gesendet am|gesendet um|verschickt",
        to="an|empfänger|antwort an",
        cc="kopie|blindkopie",
        subject="betreff|betr",
        original="ursprüngliche nachricht|originalnachricht|original-nachricht|weitergeleitete nachricht|urspr. nachricht|"
        "anfang der weitergeleiteten nachricht|ursprüngliche mail|weitergeleitet von|originalmail|original nachricht",
        sent=r"(?:diese (?:nachricht|e-?mail|mail) wurde )?(?:von|mit|aus|über) (?:meine[mnr]|outlook|der|dem|yahoo|gmx|"
        r"web\.de) .*(?:gesendet|gesandt|"
        r"geschickt|verschickt)|diese (?:nachricht|e-?mail|mail) wurde (?:von|mit) .+ gesendet|gesendet (?:von|mit|über|"
        r"aus) .+|"
        r"von unterwegs gesendet|holen sie sich outlook .+|outlook für .+ herunterladen|outlook für (?:ios|android) beziehen",
        closings="mit freundlichen grüßen|mit freundlichen grüssen|mit freundlichem gruß|mit freundlichem gruss|"
        "freundliche grüße|freundliche grüsse|"
        "freundlicher gruß|viele grüße|viele grüsse|viele liebe grüße|liebe grüße|liebe grüsse|beste grüße|beste grüsse|"
        "herzliche grüße|"
        "herzliche grüsse|schöne grüße|schöne grüsse|sonnige grüße|mit besten grüßen|mit besten grüssen|"
        "mit herzlichen grüßen|hochachtungsvoll|gruß|gruss|"
        "grüße|grüsse|mfg|lg|vg|bg|liebe gruesse|viele gruesse|mit freundlichen gruessen|danke und gruß|danke und viele grüße|"
        "vielen dank und viele grüße|vielen dank und freundliche grüße|besten dank und freundliche grüsse|"
        "mit lieben grüßen|mit vielen grüßen",
        thanks="danke|vielen dank|besten dank|herzlichen dank|danke im voraus|vielen dank im voraus|danke schön|ihr|ihre|"
        "dein|deine|bis bald|tschüss",
    ),
    "fr": Language(
        wrote="a écrit|a ecrit|écrit|écrivait|écrivit",
        begins="le|en date du",
        pronouns="je|vous|nous|elle|j'ai",
        from_="de|expéditeur|expediteur",
        date="envoyé|envoye|date|envoyé le|message du|date d'envoi",
        to="à|a|destinataire|pour|répondre à",
        cc="copie à|copie|cci",
        subject="objet|sujet",
        original="message d'origine|message d’origine|message original|message transféré|message transmis|"
        "début du message réexpédié|"
        "début du message transféré|mail original|e-mail d'origine|courriel original|message initial",
        sent=r"envoyé (?:depuis|de|à partir d[e'’]|avec|via|par) .+|envoyé de mon .+|télécharge[rz] outlook pour .+|"
        r"obtenir outlook pour .+|"
        r"provenance : .+|message envoyé depuis .+",
        closings="cordialement|bien cordialement|très cordialement|bien à vous|bien à toi|sincères salutations|"
        "salutations distinguées|salutations|"
        "meilleures salutations|cordiales salutations|veuillez agréer mes salutations distinguées|respectueusement|cdlt|"
        "cdt|bien sincèrement|sincèrement|"
        "avec mes salutations|amicalement|belle journée|merci et cordialement",
        thanks="merci|merci beaucoup|merci d'avance|merci par avance|merci pour votre aide|bonne journée|bonne soirée|"
        "à bientôt|bises|très bonne journée",
    ),
    "es": Language(
        wrote="escribió|escribio|ha escrito|escribía",
        begins="el|en fecha|con fecha",
        pronouns="yo|usted|ustedes|nosotros|él|ella|les",
        from_="de|remitente",
        date="enviado|enviado el|fecha|enviado a las|fecha de envío",
        to="para|a|destinatario|responder a",
        cc="con copia|cco",
        subject="asunto|tema",
        original="mensaje original|mensaje reenviado|inicio del mensaje reenviado|correo original|mensaje de origen|"
        "mensagem reencaminhada",
        sent=r"enviado (?:desde|con|a través de|por|vía) .+|obtener outlook para .+|descargar outlook para .+|enviado de mi .+|"
        r"este mensaje fue enviado desde .+",
        closings="saludos|un saludo|saludos cordiales|un cordial saludo|cordiales saludos|atentamente|muy atentamente|"
        "un abrazo|abrazos|reciba un cordial saludo|"
        "cordialmente|afectuosamente|saludos y gracias|gracias y saludos|atte|le saluda atentamente|mis mejores saludos",
        thanks="gracias|muchas gracias|gracias de antemano|mil gracias|de antemano gracias|quedo atento|quedo a la espera",
    ),
    "pt": Language(
        wrote="escreveu|escreveram|escrevia",
        begins="em|no dia|a|na",
        pronouns="eu|você|vocês|nós|ele|ela|lhe",
        from_="de|remetente",
        date="enviado|enviada em|enviado em|data|enviada|data de envio",
        to="para|destinatário",
        cc="com cópia|cco",
        subject="assunto",
        original="mensagem original|mensagem encaminhada|mensagem reencaminhada|início da mensagem encaminhada|"
        "início da mensagem reencaminhada",
        sent=r"enviado (?:do|da|a partir d[oea]|pelo|por|com|via|através do) .+|obter o outlook para .+|"
        r"obtenha o outlook para .+|"
        r"baixar o outlook para .+|enviada do .+",
        closings="atenciosamente|cumprimentos|com os melhores cumprimentos|melhores cumprimentos|os melhores cumprimentos|"
        "cordialmente|abraços|abraço|"
        "um abraço|att|respeitosamente|saudações|cordiais cumprimentos|com os meus cumprimentos",
        thanks="obrigado|obrigada|muito obrigado|muito obrigada|desde já agradeço|grato|grata|obrigado desde já",
    ),
    "it": Language(
        wrote="ha scritto|scrisse|scriveva|scrive|hanno scritto",
        begins="il|il giorno|in data|alle|nel messaggio del",
        pronouns="io|noi|voi|lui",
        from_="da|mittente",
        date="inviato|data|inviato il|inviata",
        to="a|per|destinatario",
        cc="copia|ccn",
        subject="oggetto",
        original="messaggio originale|messaggio inoltrato|inizio messaggio inoltrato|inizio del messaggio inoltrato|"
        "messaggio originario|"
        "email originale|forwarded message",
        sent=r"inviato (?:da|dal|con|tramite|dalla) .+|scarica outlook per .+|ottieni outlook per .+|inviata da .+",
        closings="cordiali saluti|distinti saluti|saluti|un saluto|un cordiale saluto|cordialmente|tanti saluti|"
        "i migliori saluti|migliori saluti|"
        "con i migliori saluti|in fede|un caro saluto|saluti cordiali|grazie e cordiali saluti|grazie e saluti|cari saluti",
        thanks="grazie|grazie mille|molte grazie|grazie in anticipo|buona giornata|a presto|ringraziando anticipatamente",
    ),
    "nl": Language(
        wrote="schreef|heeft geschreven|het volgende geschreven|schrijft|geschreven",
        begins="op|van",
        pronouns="ik|wij|hij|zij",
        from_="van|afzender",
        date="verzonden|datum|verzonden op|verstuurd",
        to="aan|ontvanger",
        cc="kopie",
        subject="onderwerp|betreft",
        original="oorspronkelijk bericht|oorspronkelijke bericht|origineel bericht|doorgestuurd bericht|"
        "begin doorgestuurd bericht|"
        "oorspronkelijke e-mail|doorgezonden bericht",
        sent=r"(?:verzonden|verstuurd|gestuurd) (?:vanaf|vanop|via|met|van|vanuit) .+|outlook voor .+ downloaden|"
        r"download outlook voor .+|"
        r"(?:outlook voor|haal outlook voor) .+",
        closings="met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|vriendelijke groeten|groet|groeten|"
        "groetjes|hartelijke groet|"
        "hartelijke groeten|met hartelijke groet|hoogachtend|mvg|m.v.g|vr.gr|met groet|beste groeten|vriendelijk groetend|"
        "veel groeten",
        thanks="bedankt|alvast bedankt|dank u|dank u wel|dank je wel|dankjewel|hartelijk dank|bij voorbaat dank|fijne dag",
    ),
    "pl": Language(
        wrote="napisał|napisała|napisał(a)|napisali|pisze|napisal|napisala|pisał|napisał/a",
        begins="w dniu|dnia|dn.|w wiadomości",
        pronouns="pan|pani|państwo",
        from_="od|nadawca",
        date="wysłano|data|wysłane|wysłany|data wysłania|sent",
        to="do|adresat|odbiorca",
        cc="dw|kopia|do wiadomości|udw",
        subject="temat",
        original="wiadomość oryginalna|oryginalna wiadomość|wiadomość przekazana|przekazana wiadomość|"
        "początek przekazywanej wiadomości|"
        "treść oryginalnej wiadomości|wiadomość przesłana dalej|wiadomość przekierowana",
        sent=r"wysłan[aoey] (?:z|ze|za pomocą|przez|przy użyciu) .+|pobierz outlook .+|wyślij z .+|uzyskaj outlook .+",
        closings="pozdrawiam|z poważaniem|pozdrowienia|serdecznie pozdrawiam|pozdrawiam serdecznie|z pozdrowieniami|"
        "łączę pozdrowienia|"
        "z wyrazami szacunku|z wyrazami poważania|łączę wyrazy szacunku|pozdr|dziękuję i pozdrawiam|"
        "z serdecznymi pozdrowieniami",
        thanks="dziękuję|dzięki|dziękuję bardzo|bardzo dziękuję|z góry dziękuję|dziekuje|miłego dnia",
    ),
    "ru": Language(
        wrote="написал|написала|написал(а)|написали|пишет|писал|писала|пишете|написал/а|писал(а)",
        begins="от|в сообщении от",
        pronouns="я|вы|мы|он|она|мне|вам|нам",
        from_="от|от кого|отправитель",
        date="отправлено|дата|послано|дата отправки",
        to="кому|получатель|к",
        cc="копия|скрытая копия",
        subject="тема",
        original="исходное сообщение|пересылаемое сообщение|перенаправленное сообщение|оригинальное сообщение|"
        "пересланное сообщение|"
        "начало переадресованного сообщения|исходное письмо|конец пересылаемого сообщения|начало переадресованного письма|"
        "завершение пересылаемого сообщения",
        sent=r"отправлено (?:с|со|из|через|от|при помощи|с помощью) .+|послано с .+|скачать outlook .+|"
        r"получить outlook .+|отправлен[ао]? с .+",
        closings="с уважением|с наилучшими пожеланиями|всего доброго|всего хорошего|с почтением|искренне ваш|с наилучшими|"
        "с уважением и наилучшими пожеланиями|"
        "с приветом|с любовью|с благодарностью|заранее благодарю, с уважением|всех благ",
        thanks="спасибо|большое спасибо|заранее спасибо|заранее благодарю|благодарю|спасибо большое|удачи|хорошего дня|"
        "до свидания",
    ),
    "uk": Language(
        wrote="написав|написала|написав(ла)|пише|написали|писав|написав(-ла)",
        begins="від",
        pronouns="ви|ми|він|вона|мені",
        from_="від|відправник|від кого",
        date="надіслано|дата|відправлено",
        to="кому|одержувач",
        cc="копія",
        subject="тема",
        original="вихідне повідомлення|переслане повідомлення|оригінальне повідомлення|початкове повідомлення|пересланий лист|"
        "початок переадресованого повідомлення",
        sent=r"(?:надіслано|відправлено) (?:з|із|зі|через) .+|завантажити outlook .+|отримати outlook .+",
        closings="з повагою|з найкращими побажаннями|щиро ваш|всього найкращого|з найкращими",
        thanks="дякую|щиро дякую|дуже дякую|наперед дякую|спасибі",
    ),
    "zh": Language(
        wrote="写道|寫道|写到|写|寫|撰写|撰寫|寫信道|编写",
        begins="在|于|於",
        pronouns="我|您|你|我们|你们",
        from_="发件人|發件人|寄件者|寄件人|发信人|發信人|发自|由",
        date="发送时间|發送時間|日期|发送日期|已发送|已發送|时间|時間|寄件日期|傳送時間|發送日期|已傳送|寄件時間|发件时间|"
        "传送日期",
        to="收件人|收件者|收信人|至|到|回复|回覆",
        cc="抄送|抄送人|副本|副本抄送|密件抄送|密送",
        subject="主题|主題|主旨|标题|標題",
        original="原始邮件|原始郵件|原邮件|转发的邮件|转发邮件信息|轉寄郵件|已转发的邮件|轉寄的郵件|回复的原邮件|"
        "回复的邮件信息|已转发邮件|转发邮件|"
        "以下是转发的邮件|以下是轉寄郵件|開始轉寄郵件|开始转发邮件|原文|轉寄的訊息|转发的消息|原始訊息|原始消息|邮件原件|"
        "原始邮件信息",
        sent=r"(?:发自|發自|来自|來自|寄自|傳送自|发送自|發送自|从|從|通过|透過|由).{1,60}|.{0,3}(?:我的|從我的|"
        r"从我的).{1,30}(?:发送|傳送|发出|寄出)|"
        r"(?:获取|下载|取得|下載).{0,2}outlook.{0,20}|(?:本邮件|此邮件|此郵件|这封邮件).{0,10}(?:发送|發送|发自|"
        r"發自).{0,30}|使用.{1,20}(?:发送|發送|傳送)",
        closings="此致|此致敬礼|此致 敬礼|此致敬禮|敬礼|敬禮|祝好|祝商祺|顺祝商祺|順祝商祺|顺颂商祺|順頌商祺|敬上|谨启|"
        "謹啟|顺颂时祺|順頌時祺|敬祝商祺|"
        "祝工作顺利|祝您工作顺利|祝安好|祝安|敬祝|此致，敬礼|致以诚挚的问候|诚挚的问候|祝您生活愉快|顺祝|顺致敬意|祝 好|"
        "祝您愉快|敬請鈞安|祝商安",
        thanks="谢谢|謝謝|多谢|多謝|感谢|感謝|非常感谢|非常感謝|谢谢您|謝謝您|祝您一切顺利|祝生活愉快|万分感谢",
    ),
    "ja": Language(
        wrote="書きました|は書きました|が書きました|さんは書きました|さんのメール|さんからのメール|のメッセージ|"
        "さんが書いた|wrote|writes",
        begins="",
        pronouns="私|私は|あなた",
        from_="差出人|送信者|送信元|発信者",
        date="送信日時|日時|日付|送信日|送信時刻|受信日時",
        to="宛先|宛て先|to",
        cc="写し|写",
        subject="件名|題名|タイトル",
        original="元のメッセージ|転送されたメッセージ|転送メッセージ|オリジナルメッセージ|元メール|転送メール|元のメール|"
        "以下転送されたメッセージ|"
        "転送されたメール|original message|以下のメールが転送されました",
        sent=r".{0,20}(?:iphone|ipad|android|スマートフォン|スマホ|携帯|端末|モバイル|outlook|yahoo!?メール|gmail).{0,12}"
        r"(?:から送信|より送信|から送って|を入手|で送信).{0,6}|.{1,30}から送信(?:されました|しました)?|"
        r"outlook.{0,12}を(?:入手|ダウンロード)(?:する)?",
        closings="敬具|草々|かしこ|謹白|以上",
        thanks="よろしくお願いします|よろしくお願いいたします|よろしくお願い致します|宜しくお願いします|"
        "宜しくお願いいたします|宜しくお願い致します|"
        "どうぞよろしくお願いいたします|以上、よろしくお願いいたします|以上、よろしくお願いします|"
        "何卒よろしくお願いいたします|何卒よろしくお願い申し上げます|"
        "ありがとうございます|ありがとうございました|よろしくお願い申し上げます|以上、よろしくお願い致します",
    ),
    "ko": Language(
        wrote="님이 작성|작성|님이 씀|님께서 작성|썼습니다|작성했습니다|작성하였습니다|님이 쓴 글|씀|님이 다음을 작성함",
        begins="",
        pronouns="저는|제가|나는|내가",
        from_="보낸 사람|보낸사람|발신자|보낸이|발신인",
        date="보낸 날짜|보낸날짜|날짜|보낸 시간|보낸시간|발송일|일시|보냄",
        to="받는 사람|받는사람|수신자|받는이|수신인",
        cc="참조|숨은 참조",
        subject="제목",
        original="원본 메시지|원본 메일|원래 메시지|전달된 메시지|전달된 메일|원본메시지|original message|원본메일|"
        "전달 메시지|아래는 전달된 메시지",
        sent=r".{0,20}(?:iphone|ipad|아이폰|갤럭시|galaxy|android|안드로이드|휴대폰|스마트폰|모바일|메일 앱|"
        r"outlook)에서 (?:보냄|보낸|발송|작성).{0,12}|"
        r".{1,30}에서 (?:보냄|발송됨|전송함|보냈습니다)|(?:android|ios)용 outlook.{0,12}",
        closings="드림|올림|배상|안녕히 계세요|수고하세요|안녕히계세요|좋은 하루 되세요",
        thanks="감사합니다|고맙습니다|감사드립니다|미리 감사드립니다|부탁드립니다|잘 부탁드립니다",
    ),
    "ar": Language(
        wrote="كتب|كتبت|كتبَ|كتب/ت|يكتب|كتبوا|تمت كتابة ما يلي بواسطة",
        begins="في|بتاريخ|يوم|في يوم",
        pronouns="أنا|أنت|نحن",
        from_="من|المرسل",
        date="تاريخ الإرسال|التاريخ|تم الإرسال|أرسلت|الإرسال|أُرسلت|تاريخ|مرسل|أرسل",
        to="إلى|الى|المستلم",
        cc="نسخة|نسخة إلى",
        subject="الموضوع|موضوع",
        original="الرسالة الأصلية|رسالة معاد توجيهها|رسالة محولة|رسالة أصلية|الرسالة المعاد توجيهها|رسالة مُعاد توجيهها|"
        "بدء الرسالة المعاد توجيهها",
        sent=r"(?:تم الإرسال|أُرسلت|أرسلت|ارسلت|مرسل|مُرسل|أرسل|تم إرسال.{0,20}) (?:من|بواسطة|عبر) .+|"
        r"الحصول على outlook.+|احصل على outlook.+",
        closings="مع أطيب التحيات|مع خالص التحية|تحياتي|مع التحية|مع تحياتي|أطيب التحيات|وتفضلوا بقبول فائق الاحترام|"
        "مع فائق الاحترام|"
        "خالص التحيات|مع الاحترام|تفضلوا بقبول فائق الاحترام|مع خالص التقدير|تقبلوا تحياتي|وتقبلوا فائق الاحترام والتقدير",
        thanks="شكرا|شكراً|شكرا لكم|شكراً لكم|شكرا جزيلا|شكراً جزيلاً|مع الشكر|وشكرا|شكرًا|شكرًا جزيلًا",
    ),
    "sv": Language(
        wrote="skrev|skriver|har skrivit",
        begins="den|på|kl.|kl",
        pronouns="jag|han|hon",
        from_="från|avsändare",
        date="skickat|datum|skickades|sänt",
        to="till|mottagare",
        cc="kopia",
        subject="ämne|ärende",
        original="ursprungligt meddelande|vidarebefordrat meddelande|vidarebefordrat brev|originalmeddelande|ursprungligt mejl",
        sent=r"skicka[td]e?s? (?:från|via|med) .+|hämta outlook för .+|skickat från .+|sänt från .+",
        closings="med vänlig hälsning|med vänliga hälsningar|vänliga hälsningar|vänlig hälsning|hälsningar|"
        "bästa hälsningar|mvh|hälsar|"
        "med hälsning|varma hälsningar|m v h|allt gott",
        thanks="tack|tack så mycket|tack på förhand|stort tack|många tack|ha en bra dag",
    ),
    "da": Language(
        wrote="skrev|skriver|har skrevet|skrev følgende",
        begins="den|d.|på|kl.|kl",
        pronouns="jeg|han|hun",
        from_="fra|afsender",
        date="sendt|dato|afsendt",
        to="til|modtager",
        cc="kopi",
        subject="emne",
        original="oprindelig meddelelse|oprindelig besked|videresendt besked|videresendt meddelelse|oprindelig mail|"
        "start på videresendt besked|"
        "videresendt mail",
        sent=r"sendt (?:fra|via|med) .+|hent outlook (?:til|for) .+|få outlook (?:til|for) .+",
        closings="med venlig hilsen|venlig hilsen|med venlige hilsner|venlige hilsner|mange hilsner|hilsen|"
        "de bedste hilsner|mvh|bedste hilsner|vh|"
        "kærlig hilsen|med hilsen|kh|mange venlige hilsner",
        thanks="tak|mange tak|tusind tak|på forhånd tak|på forhånd mange tak|tak for hjælpen|god dag",
    ),
    "no": Language(
        wrote="skrev|skriver|har skrevet|skrev følgende",
        begins="den|på|kl.|man.|tir.|ons.|tor.|tors.|fre.|lør.|søn.",
        pronouns="jeg|dere",
        from_="fra|avsender",
        date="sendt|dato",
        to="til|mottaker",
        cc="kopi",
        subject="emne",
        original="opprinnelig melding|videresendt melding|opprinnelig e-post|begynnelsen på videresendt melding|"
        "original melding|"
        "start på videresendt melding",
        sent=r"sendt (?:fra|via|med) .+|last ned outlook .+|skaff deg outlook .+",
        closings="med vennlig hilsen|vennlig hilsen|hilsen|beste hilsen|mvh|med hilsen|vennlige hilsner|hilsner|med beste hilsen",
        thanks="takk|tusen takk|på forhånd takk|mange takk|takk for hjelpen|ha en fin dag",
    ),
    "fi": Language(
        wrote="kirjoitti|kirjoittaa|kirjoitti seuraavaa|kirjoitti näin",
        begins="ma|ti|ke|to|pe|la|su|maanantai|tiistai|keskiviikko|torstai|perjantai|lauantai|sunnuntai",
        pronouns="minä|sinä|hän",
        from_="lähettäjä|lähettäjältä",
        date="lähetetty|päivämäärä|pvm|päiväys",
        to="vastaanottaja|saaja|vastaanottajat|kenelle",
        cc="kopio",
        subject="aihe|otsikko",
        original="alkuperäinen viesti|välitetty viesti|edelleenlähetetty viesti|alkuperäinen sähköposti|välitetty viesti alkaa",
        sent=r"lähetetty .+|hanki outlook.+|lataa outlook .+|\w+ outlook for (?:android|ios).*|lähetetty \w+sta|"
        r"lähetetty laitteesta .+",
        closings="ystävällisin terveisin|parhain terveisin|terveisin|ystävällisesti|kunnioittavasti|t.|t:|terv.|terv|"
        "yst. terv|hyvää päivänjatkoa|"
        "hyvää jatkoa|kiittäen|parhaat terveiset",
        thanks="kiitos|kiitos paljon|kiitos etukäteen|kiitoksia|kiitos avusta",
    ),
    "cs": Language(
        wrote="napsal|napsala|napsal(a)|napsal/a|píše|napsali|napísal|napísala|napísal(a)|napísal/a",
        begins="dne|dňa|v|po|út|st|čt|pá|so|ne",
        pronouns="já|ona",
        from_="od|odesílatel|odosielateľ",
        date="odesláno|datum|dátum|odoslané",
        to="komu|příjemce|pre|príjemca",
        cc="kopie|kópia",
        subject="předmět|predmet",
        original="původní zpráva|přeposlaná zpráva|původní e-mail|původní mail|pôvodná správa|preposlaná správa|"
        "začátek přeposlané zprávy",
        sent=r"odesláno (?:z|ze|přes|pomocí) .+|odoslané (?:z|zo|cez) .+|získat outlook .+|stáhnout outlook .+|posláno z .+",
        closings="s pozdravem|s přátelským pozdravem|hezký den|s úctou|děkuji a s pozdravem|přeji hezký den|s pozdravom|"
        "s priateľským pozdravom|"
        "srdečně zdraví|zdraví|srdečně|zdravím",
        thanks="děkuji|díky|děkujeme|předem děkuji|mockrát děkuji|ďakujem|vopred ďakujem",
    ),
    "tr": Language(
        wrote="yazdı|şunu yazdı|şunları yazdı|şöyle yazdı|yazmış|tarafından yazıldı|yazıyor",
        begins="",
        pronouns="ben|siz|biz|sen",
        from_="kimden|gönderen|gönderici",
        date="gönderildi|tarih|gönderme tarihi|gönderilme tarihi|gönderim tarihi",
        to="kime|alıcı",
        cc="bilgi|gizli",
        subject="konu",
        original="özgün ileti|orijinal mesaj|iletilen ileti|iletilen mesaj|orijinal ileti|yönlendirilmiş mesaj|"
        "yönlendirilen ileti|asıl ileti|"
        "özgün mesaj|yönlendirilen mesaj",
        sent=r".{0,30}(?:iphone|ipad|android|samsung|telefon|cihaz|outlook).{0,12} (?:gönderildi|yollandı)|.{1,40}'(?:dan|"
        r"den|tan|ten) gönderildi|"
        r".+ (?:uygulamasından|telefonumdan|cihazımdan) gönderildi|outlook.+ edinin",
        closings="saygılarımla|saygılarımızla|iyi çalışmalar|en iyi dileklerimle|sevgiler|selamlar|iyi günler|saygılar|"
        "iyi günler dilerim|"
        "iyi çalışmalar dilerim|kolay gelsin",
        thanks="teşekkürler|teşekkür ederim|çok teşekkürler|şimdiden teşekkürler|teşekkür ederiz|çok teşekkür ederim",
    ),
    "he": Language(
        wrote="כתב|כתבה|כתב/ה|כתבו|מאת",
        begins="ב-|בתאריך|ביום|בתאריך יום",
        pronouns="אני|אתה|אנחנו",
        from_="מאת|מ|שולח",
        date="נשלח|תאריך|בתאריך",
        to="אל|ל|נמען",
        cc="עותק|העתק",
        subject="נושא|הנדון",
        original="הודעה מקורית|הודעה שהועברה|ההודעה המקורית|הודעה מועברת|תחילת הודעה שהועברה",
        sent=r"נשלח(?:ה)? (?:מ|מה|באמצעות|דרך|מתוך).+|קבל את outlook.+|הורד את outlook.+",
        closings="בברכה|בכבוד רב|בתודה|בברכת|תודה ובברכה|בברכה רבה|כל טוב",
        thanks="תודה|תודה רבה|תודה מראש|המון תודה",
    ),
    "vi": Language(
        wrote="đã viết|viết|đã viết như sau",
        begins="vào|lúc|vào lúc|vào ngày|ngày|vào th",
        pronouns="tôi|bạn|chúng tôi",
        from_="từ|người gửi",
        date="đã gửi|ngày|ngày gửi|thời gian|gửi lúc|đã gửi lúc|gửi",
        to="đến|tới|người nhận|gửi tới",
        cc="bản sao",
        subject="chủ đề|tiêu đề",
        original="tin nhắn gốc|thư gốc|thư đã chuyển tiếp|tin nhắn được chuyển tiếp|thư được chuyển tiếp|"
        "forwarded message|thư chuyển tiếp",
        sent=r"(?:đã )?gửi (?:từ|bằng|qua) .+|đã gửi từ .+|tải outlook .+|được gửi từ .+|tải xuống outlook .+",
        closings="trân trọng|thân ái|thân mến|kính thư|trân trọng kính chào|thân|trân trọng cảm ơn|kính chào",
        thanks="cảm ơn|xin cảm ơn|cám ơn|chân thành cảm ơn|cảm ơn nhiều",
    ),
    "other": Language(  # Hungarian, Romanian, Greek, Indonesian, Thai, Slovenian, Croatian: what is most frequent
        wrote="írta|ezt írta|következőt írta|a scris|έγραψε|menulis|เขียนว่า|je napisal|je napisao|je napisala|napisao je|"
        "kirjutas|rašė|rakstīja|"
        "написа|va escriure|ha escrit|skrifaði|idatzi du",
        begins="în|la|στις|pada|เมื่อ|dana|ekkor|dne|на|el|p.|po",
        pronouns="én|εγώ|saya",
        from_="feladó|de la|expeditor|από|dari|จาก|od|kelt|prima|pošiljatelj|šalje",
        date="elküldve|dátum|trimis|data|στάλθηκε|ημερομηνία|terkirim|tanggal|วันที่|küldve|küldés ideje|elküldés dátuma|"
        "poslano|datum",
        to="címzett|către|προς|kepada|ถึง|za|prima",
        cc="másolat|másolatot kap|κοιν.|tembusan|สำเนา",
        subject="tárgy|subiect|θέμα|perihal|subjek|เรื่อง|zadeva|predmet",
        original="eredeti üzenet|továbbított üzenet|mesaj original|mesaj redirecționat|αρχικό μήνυμα|προωθημένο μήνυμα|"
        "pesan asli|pesan terusan|"
        "pesan diteruskan|ข้อความต้นฉบับ|izvirno sporočilo|originalna poruka|izvorna poruka|proslijeđena poruka|"
        "elküldött üzenet",
        sent=r"(?:iphone-?omról|.+) küldve|elküldve .+|trimis (?:de pe|din|de la) .+|στάλθηκε από .+|dikirim (?:dari|"
        r"melalui) .+|ส่งจาก.+|poslano (?:iz|s|z) .+|"
        r"enviat des de.+|poslato (?:sa|iz) .+|изпратено от .+",
        closings="üdvözlettel|üdv|tisztelettel|szívélyes üdvözlettel|cu stimă|cu respect|με εκτίμηση|φιλικά|hormat saya|salam|"
        "salam hormat|lp|lep pozdrav|"
        "srdačan pozdrav|s poštovanjem|lijep pozdrav|с уважение|поздрави|salutacions|ขอแสดงความนับถือ|o zi bună|pozdrav",
        thanks="köszönöm|köszönöm szépen|mulțumesc|ευχαριστώ|terima kasih|ขอบคุณ|hvala|благодаря|gràcies",
    ),
}


def every(name: str) -> tuple[str, ...]:
    """The alternatives of a field in all languages, casefolded, without repetitions, longest first."""
    found = {word.casefold() for language in LANGUAGES.values() for word in _words(getattr(language, name))}
    return tuple(sorted(found, key=lambda word: (-len(word), word)))


def patterns(name: str) -> tuple[str, ...]:
    """The regular expressions of a field, one for each language."""
    return tuple(getattr(language, name) for language in LANGUAGES.values() if getattr(language, name))
