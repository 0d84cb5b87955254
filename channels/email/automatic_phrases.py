"""How programs say that nobody is there or that a mail was not delivered, by language. Everything is compared casefolded.

`ABSENCE_SUBJECTS` say it by themselves when a colon or nothing follows; `ABSENT` are sentences about being away now or later,
never in the past; `INSTEAD` what only a notice says besides; `MACHINE` that a program is writing.
"""

ABSENCE_SUBJECTS = tuple(
    "|".join(
        (
            # English
            (
                "automatic reply|automatic response|auto reply|auto-reply|autoreply|auto response|auto-response|autoresponse|"
                "automated reply|automated response|auto responder|autoresponder|out of office|out-of-office|out of the office|"
                "out of office reply|out of office autoreply|out of office notification|out of office auto-reply|ooo|oof|auto|"
                "vacation|vacation reply|vacation response|vacation notice|on vacation|on holiday|away from my mail|away|"
                "away from the office|away notice|away message|on leave|annual leave|maternity leave|on maternity leave|"
                "parental leave|i am away|i'm away|i am out of the office|i am out of office|i'm out of the office|"
                "out of office message|auto reply message|absence|currently out of office|away on vacation|"
                "out of office response"
            ),
            # German
            (
                "abwesenheitsnotiz|abwesenheit|abwesenheitsnachricht|abwesenheitsmeldung|abwesenheitsinfo|automatische antwort|"
                "automatische antwort auf|automatische rückmeldung|automatische eingangsbestätigung|abwesend|bin im urlaub|"
                "im urlaub|urlaub|nicht im büro|ausser haus|außer haus|elternzeit|in elternzeit|ich bin im urlaub|"
                "automatische nachricht|automatische abwesenheitsnotiz|urlaubsnotiz|mutterschutz|büroabwesenheit|"
                "out of office assistent"
            ),
            # French
            (
                "réponse automatique|reponse automatique|réponse d'absence|absence du bureau|absent du bureau|"
                "absente du bureau|"
                "message d'absence|absent|en congé|en congés|en vacances|absent(e)|notification d'absence|message automatique|"
                "absence de bureau|je suis absent|je suis absente|congé maternité|réponse automatique d'absence|congés"
            ),
            # Spanish
            (
                "respuesta automática|respuesta automatica|fuera de la oficina|fuera de oficina|ausente|ausencia|de vacaciones|"
                "mensaje automático|contestación automática|vacaciones|mensaje de ausencia|autorespuesta|ausente de la oficina"
            ),
            # Portuguese
            (
                "resposta automática|resposta automatica|fora do escritório|ausência temporária|ausência do escritório|"
                "ausência|"
                "férias|de férias|mensagem automática|resposta de férias|em férias|aviso de férias|ausência temporaria"
            ),
            # Italian
            (
                "risposta automatica|fuori sede|fuori ufficio|assenza dall'ufficio|assente|assenza|in ferie|ferie|"
                "messaggio automatico|notifica di assenza|fuori sede.|risponditore automatico|avviso di assenza"
            ),
            # Dutch
            (
                "automatisch antwoord|afwezig|afwezigheid|afwezigheidsbericht|niet op kantoor|met vakantie|"
                "automatische reactie|"
                "afwezigheidsmelding|automatisch bericht|vakantie|niet aanwezig|automatisch antwoord bij afwezigheid|"
                "op vakantie"
            ),
            # Polish
            (
                "odpowiedź automatyczna|automatyczna odpowiedź|autoodpowiedź|poza biurem|nieobecność|nieobecny|nieobecna|"
                "nieobecność w biurze|urlop|jestem na urlopie|na urlopie|wiadomość automatyczna|nieobecność w pracy"
            ),
            # Russian, Ukrainian
            (
                "автоматический ответ|автоответ|автоответчик|автоматическое уведомление|вне офиса|отсутствую|отсутствие|"
                "в отпуске|"
                "нет на рабочем месте|отпуск|уведомление об отсутствии|я в отпуске|отсутствие на рабочем месте|"
                "автоматическое сообщение|автоматична відповідь|автовідповідь|автовідповідач|відпустка|у відпустці|поза офісом|"
                "відсутність на роботі"
            ),
            # Chinese
            (
                "自动回复|自動回覆|自动答复|自動回復|自動答覆|外出自动回复|外出自動回覆|不在办公室|不在辦公室|休假通知|"
                "休假|外出|"
                "休假自动回复|休假自動回覆|假期自动回复|自动应答|外出通知|外出回覆|年假|系统自动回复|自动回覆|系統自動回覆"
            ),
            # Japanese
            (
                "自動応答|自動返信|不在通知|不在|自動回答|不在のお知らせ|休暇中|休暇のお知らせ|自動返信メール|不在のご連絡|"
                "【自動返信】|【自動応答】|【不在通知】|外出中|自動送信"
            ),
            # Korean
            (
                "자동 회신|자동회신|자동 응답|자동응답|부재중|부재 중|부재중 자동응답|부재중 자동 회신|휴가 중|휴가중|"
                "부재 알림|"
                "부재중 알림|자동 답장|자동답장|휴가|자동 응답 메일|부재중 메시지"
            ),
            # Arabic
            "رد تلقائي|الرد التلقائي|رد آلي|خارج المكتب|في إجازة|إجازة|غياب|الرد الآلي|رسالة تلقائية|رد تلقائى",
            # Swedish, Danish, Norwegian, Finnish
            (
                "autosvar|automatiskt svar|frånvaro|frånvaromeddelande|frånvarande|på semester|ej på kontoret|semester|"
                "automatisk svar|fravær|fraværsbesked|ikke på kontoret|ikke til stede|på ferie|fraværsmelding|autosvar fravær|"
                "ikke tilstede|fraværende|automatisk melding|automatisk besked|ferielukket|fraværsmeddelelse|"
                "automaattinen vastaus|poissa|poissaolo|poissaoloilmoitus|automaattivastaus|poissa toimistosta|lomalla|loma"
            ),
            # Czech, Slovak, Hungarian, Romanian, Greek
            (
                "automatická odpověď|automatická odpoveď|mimo kancelář|nepřítomnost|dovolená|jsem mimo kancelář|neprítomnosť|"
                "automatikus válasz|házon kívül|szabadság|szabadságon|răspuns automat|absent din birou|în concediu|"
                "αυτόματη απάντηση|εκτός γραφείου|automatski odgovor|samodejni odgovor|balasan otomatis|ตอบกลับอัตโนมัติ"
            ),
            # Turkish, Hebrew, Vietnamese
            (
                "otomatik yanıt|otomatik cevap|ofis dışında|izinde|ofis dışındayım|izindeyim|otomatik yanit|yıllık izin|"
                "תשובה אוטומטית|מענה אוטומטי|מחוץ למשרד|הודעת היעדרות|בחופשה|מענה אוטומאטי|לא במשרד|trả lời tự động|"
                "thư trả lời tự động|vắng mặt|vắng mặt tại văn phòng|tự động trả lời|phản hồi tự động|nghỉ phép"
            ),
        )
    ).split("|")
)

#: These say more often what a letter is about: a sentence in the text must confirm them.
AMBIGUOUS_SUBJECTS = frozenset(
    [
        "vacation",
        "on vacation",
        "on holiday",
        "away",
        "absence",
        "auto",
        "urlaub",
        "im urlaub",
        "abwesenheit",
        "absent",
        "vacaciones",
        "de vacaciones",
        "férias",
        "de férias",
        "em férias",
        "ferie",
        "in ferie",
        "assenza",
        "vakantie",
        "op vakantie",
        "urlop",
        "na urlopie",
        "отпуск",
        "в отпуске",
        "отсутствие",
        "відпустка",
        "休假",
        "外出",
        "年假",
        "不在",
        "外出中",
        "휴가",
        "إجازة",
        "غياب",
        "semester",
        "på semester",
        "på ferie",
        "loma",
        "lomalla",
        "dovolená",
        "szabadság",
        "izinde",
        "nghỉ phép",
        "on leave",
        "annual leave",
        "congés",
        "en vacances",
        "elternzeit",
        "mutterschutz",
        "parental leave",
        "maternity leave",
        "poissa",
        "ausencia",
        "ausência",
        "fravær",
        "frånvaro",
        "nieobecność",
        "afwezigheid",
        "nepřítomnost",
        "في إجازة",
        "בחופשה",
        "休假通知",
        "휴가 중",
        "휴가중",
        "休暇中",
        "отсутствую",
        "yıllık izin",
        "vắng mặt",
        "en congé",
        "en congés",
        "außer haus",
        "ausser haus",
        "ausente",
        "assente",
        "afwezig",
        "szabadságon",
        "ferielukket",
        "自動送信",
        "automatische nachricht",
        "message automatique",
        "mensaje automático",
        "mensagem automática",
        "messaggio automatico",
        "automatisch bericht",
        "wiadomość automatyczna",
        "автоматическое сообщение",
        "автоматическое уведомление",
        "رسالة تلقائية",
        "automatisk melding",
        "automatisk besked",
        "系统自动回复",
    ]
)

ABSENT = (
    (
        r"\bi(?: am|'m|’m| will be|'ll be|’ll be)(?: currently| now| presently| away and| still|"
        r" away on \w+ and)? (?:out of (?:the |my )?office|out of office|"
        r"away from (?:the|my) (?:office|desk|mail|e-?mail)|on (?:annual |maternity |paternity |parental |sick |medical |"
        r"study |family )?(?:leave|vacation|holidays?|a business trip)|"
        r"away (?:until|till|from|on|this week|for)|travell?ing|out (?:until|till|from|this|for|on)|not in the office|"
        r"unavailable|"
        r"not available|abroad|off work|attending|taking (?:a break|time off|some time)|enjoying)"
    ),
    (
        r"\b(?:currently|presently|am) (?:out of (?:the )?office|away from (?:the|my) (?:office|desk)|on (?:leave|vacation|"
        r"holiday|annual leave))"
    ),
    (
        r"\bout of (?:the )?office (?:until|till|from|on|between|through|with|and will|starting|this week|today|for)|"
        r"^out of office\b"
    ),
    (
        r"\b(?:have|with|had) (?:no|only |very )?(?:limited|intermittent|sporadic|restricted|"
        r"no) (?:or no )?access to (?:my )?(?:e-?mail|mails|messages|the internet)"
    ),
    (
        r"\bour (?:office|shop|store|company|team) (?:is|will be) closed|\bwe are (?:currently )?closed|\bno longer (?:with|"
        r"works? (?:at|for)|employed)"
    ),
    (
        r"\bich (?:bin|befinde mich|werde)(?: derzeit| zurzeit| zur zeit| momentan| aktuell| bis| ab| vom| heute| leider|"
        r" gerade| mich| wieder| im moment)?.{0,60}"
        r"(?:nicht (?:im (?:büro|haus|dienst)|erreichbar|am (?:arbeits)?platz|im hause|persönlich)|abwesend|im urlaub|"
        r"auf (?:dienst|geschäfts)reise|außer haus|ausser haus|"
        r"in (?:elternzeit|mutterschutz|urlaub)|nicht da|auf fortbildung|unterwegs)"
    ),
    (
        r"\bmeine e-?mails (?:werden|kann ich|lese ich)|(?:werden|wird) nicht weitergeleitet|"
        r"nicht (?:automatisch )?weitergeleitet|"
        r"\b(?:vom|vom \d.{0,20} bis|bis) .{0,40}(?:nicht im büro|im urlaub|abwesend)|unser büro ist .{0,60}(?:geschlossen|"
        r"nicht besetzt)"
    ),
    (
        r"\bje (?:suis|serai)(?: actuellement| en ce moment)? (?:absente?|en (?:congés?|vacances|déplacement|formation|arrêt|"
        r"réunion)|hors du bureau|indisponible|à l'étranger)"
    ),
    (
        r"\bactuellement (?:absente?|en congés?|en vacances|en déplacement)|\bde retour le|\babsente? (?:du bureau|jusqu'au|"
        r"du \d)|notre (?:bureau|société|magasin) (?:est|sera) fermé"
    ),
    (
        r"\b(?:estoy|estaré|me encuentro|me encontraré|voy a estar)(?: actualmente|"
        r" en este momento)?.{0,20}(?:fuera de (?:la )?oficina|de vacaciones|ausente|de viaje|de baja|de permiso)"
    ),
    (
        r"\bfuera de (?:la )?oficina (?:hasta|desde|del)|\bcon acceso limitado (?:a|al)|nuestras oficinas (?:permanecerán|"
        r"estarán) cerradas"
    ),
    (
        r"\b(?:estou|estarei|encontro-me|me encontro)(?: atualmente| neste momento| de momento)?.{0,20}(?:fora do escritório|"
        r"de férias|em férias|ausente|em viagem|de licença|fora da empresa)"
    ),
    r"\bausente (?:do escritório|até|de \d)|com acesso limitado (?:a|ao)",
    (
        r"\b(?:sono|sarò)(?: attualmente| al momento)?.{0,15}(?:fuori (?:sede|ufficio)|in ferie|assente|in vacanza|"
        r"in trasferta|in malattia|in maternità|fuori per)"
    ),
    r"\b(?:i nostri uffici|l'ufficio) (?:sono|saranno|è|sarà|resteranno) chius|assente dall'ufficio",
    (
        r"\b(?:ik ben|ben ik)(?: momenteel| op dit moment| vandaag| tot| van).{0,60}(?:afwezig|niet (?:op kantoor|aanwezig|"
        r"bereikbaar|werkzaam)|met vakantie|op vakantie|met verlof|buiten kantoor)|\bik ben (?:afwezig|niet op kantoor|"
        r"met vakantie|op vakantie|met verlof)"
    ),
    (
        r"\b(?:jestem|będę|przebywam)(?: obecnie| aktualnie)?.{0,15}(?:poza biurem|na urlopie|nieobecn[ya]|niedostępn[ya]|"
        r"w delegacji|na zwolnieniu)"
    ),
    (
        r"(?:я )?(?:сейчас |в настоящее время |буду |временно |нахожусь )+.{0,20}(?:в отпуске|отсутству|вне офиса|не в офисе|"
        r"в командировке|недоступ|на больничном|в декрет)|"
        r"(?:^|[\s,.])(?:я )?(?:отсутствую|нахожусь в отпуске|нахожусь в командировке|в отпуске (?:до|с)|буду отсутствовать|"
        r"не буду в офисе|меня не будет (?:в офисе|на (?:рабочем )?месте))"
    ),
    r"(?:я )?(?:зараз |наразі |перебуваю |буду )+.{0,20}(?:у відпустці|відсутн|поза офісом|у відрядженні)",
    (
        r"(?:我|本人)(?:目前|现在|現在|正在|将|將|于|於|已|这|這|今天|暂时|暫時|从|從|不).{0,40}(?:休假|外出|出差|"
        r"不在(?:办公室|辦公室|公司|线)|度假|请假|請假|年假|产假|產假|无法及时|無法及時|外勤)|"
        r"(?:正在|目前|现在|現在)(?:休假|外出|出差|度假)|不在(?:办公室|辦公室|座位)|我?(?:正在)?(?:休假|外出|出差)(?:中|期间|"
        r"期間)|无法(?:及时|立即)(?:回复|查看|处理)|無法(?:及時|立即)(?:回覆|查看|回復)"
    ),
    (
        r"(?:不在に?して(?:い|お)ります|不在となります|休暇(?:中|を(?:頂|いただ|取得)|のため)|出張(?:中|のため)|外出(?:中|"
        r"して(?:い|お)ります)|不在のため|休業(?:いた|と|中)|席を外して|育児休業|夏季休業|年末年始)"
    ),
    (
        r"(?:부재\s?중|휴가\s?(?:중|로 인해|기간)|출장\s?(?:중|으로|기간)|자리를 비|사무실에 없|외근\s?중|연차|육아휴직|휴무|"
        r"휴가입니다|휴가를)"
    ),
    (
        r"(?:أنا|انا|سأكون|ساكون|أتواجد|حالياً|حاليا).{0,30}(?:خارج المكتب|في إجازة|في اجازة|خارج العمل|غير متواجد|غير متاح|"
        r"في مهمة|مسافر)|خارج المكتب (?:حتى|من|حاليا)|(?:لن أكون|لست) (?:متاح|في المكتب|متواجد)"
    ),
    (
        r"\bjag (?:är|har|kommer att vara)(?: för närvarande| just nu| nu)?.{0,20}(?:inte på kontoret|på semester|borta|ledig|"
        r"frånvarande|tjänsteledig|föräldraledig|på tjänsteresa|semester|inte anträffbar|bortrest)"
    ),
    (
        r"\bjeg (?:er|har|vil være)(?: for øjeblikket| i øjeblikket| for tiden| nå| p\.t\.| pt\.?| desværre|"
        r" dessverre)?.{0,20}(?:ikke (?:på kontoret|til ?stede|på arbejde|på jobb|tilgængelig|tilgjengelig)|på ferie|"
        r"på forretningsrejse|på reise|ferie|barsel|bortrejst|fraværende|ute av kontoret|ude af kontoret|permisjon|fri)"
    ),
    (
        r"\b(?:olen|en ole)(?: tällä hetkellä| parhaillaan)?.{0,20}(?:lomalla|poissa|vapaalla|työmatkalla|tavoitettavissa|"
        r"toimistolla|paikalla|vuosilomalla|äitiyslomalla|perhevapaalla|matkoilla)"
    ),
    (
        r"\b(?:jsem|budu|som|budem|nejsem|nie som)(?: nyní| momentálně| aktuálně| teraz| momentálne)?.{0,20}(?:mimo kancelář|"
        r"na dovolené|nepřítom|mimo kanceláriu|na dovolenke|neprítom|v kanceláři|k zastižení|služební cestě)"
    ),
    (
        r"(?:ofis dışında(?:yım| olacağım)|izindeyim|izinde(?: olacağım)|yıllık izin|tatildeyim|ofiste (?:değilim|"
        r"olmayacağım)|seyahatteyim|seyahatte olacağım)"
    ),
    (
        r"(?:אני|אהיה|הנני)(?: כרגע| כעת)?.{0,20}(?:מחוץ למשרד|בחופשה|לא במשרד|לא זמין|אינני זמינ|בחו\"ל|"
        r"בחופשת)|(?:לא אהיה|אינני|איני) (?:זמינ|נמצא|במשרד)"
    ),
    (
        r"(?:tôi|em|mình)(?: hiện| đang| sẽ| hiện đang| hiện tại)+.{0,20}(?:vắng mặt|đi công tác|nghỉ phép|không có mặt|"
        r"không ở văn phòng|trong kỳ nghỉ|nghỉ)"
    ),
    (
        r"(?:szabadságon vagyok|házon kívül|nem vagyok (?:az irodában|elérhető)|sunt (?:plecat|în concediu|plecată)|"
        r"nu sunt (?:în|la) birou|βρίσκομαι (?:εκτός|σε άδεια)|είμαι (?:εκτός|σε άδεια)|saya sedang (?:cuti|tidak|di luar)|"
        r"ไม่อยู่|ลาพักร้อน)"
    ),
)

INSTEAD = (
    (
        r"\b(?:in|for|of) (?:urgent|emergenc|immediate)|\bif (?:(?:it|this|your (?:matter|request|message|e-?mail|enquiry|"
        r"inquiry)) (?:is|requires) (?:an )?(?:urgent|emergency|immediate)|urgent|you need (?:immediate|urgent|assistance|"
        r"help|something))|"
        r"\burgent (?:matters|requests|issues|cases|enquir|inquir|queries)|\bimmediate (?:assistance|attention|help|response)"
    ),
    (
        r"\b(?:will|shall|'ll|’ll) (?:respond|reply|answer|get back|be back|return|read|check|attend|address|"
        r"contact).{0,60}(?:return|back|as soon as|on (?:my|mon|tue|wed|thu|fri|\d)|when|once|upon|after)|\bupon my return|"
        r"\bon my return|\bwhen i return|\bonce i(?:'m| am)? (?:back|return)"
    ),
    (
        r"\bplease (?:contact|e-?mail|write to|call|refer|direct|forward|reach out to|get in touch with).{0,80}(?:@|"
        r"\bcolleague|\bteam\b|\binstead|\bin my absence|\bmeanwhile|\d{5})|\bin my absence|\bduring (?:my absence|this time|"
        r"that time|this period)|limited (?:or no )?access to"
    ),
    (
        r"\b(?:in|bei) (?:dringenden|eiligen|wichtigen|dringlichen)|\bwenden sie sich (?:bitte )?an|\bbitte wenden sie sich|"
        r"\bkontaktieren sie|\bvertret(?:ung|en)|\bnach meiner rückkehr|\bich (?:melde mich|antworte|werde (?:ihre|mich|"
        r"ihnen)|bearbeite).{0,60}|"
        r"\bweitergeleitet|\bwieder (?:erreichbar|im büro|da|für sie)|zurück(?:kehre| bin)|\b(?:dringende|eilige) (?:anfragen|"
        r"fälle|angelegenheiten)"
    ),
    (
        r"\b(?:en cas d'urgence|pour toute (?:urgence|demande|question)|en mon absence|à mon retour|dès mon retour|"
        r"vous pouvez (?:contacter|joindre|vous adresser)|veuillez (?:contacter|vous adresser|prendre contact)|"
        r"merci de (?:contacter|vous adresser)|je vous répondrai|de retour|n'hésitez pas à contacter|reviendrai vers vous|"
        r"prendrai connaissance)"
    ),
    (
        r"\b(?:en caso de urgencia|para (?:asuntos|temas|cualquier|cuestiones) .{0,15}(?:urgent|asunto|consulta)|"
        r"en mi ausencia|durante mi ausencia|a mi (?:regreso|vuelta|retorno)|pueden? (?:contactar|ponerse en contacto|"
        r"dirigirse)|póngase en contacto|por favor,? (?:contacte|diríjase|póngase|contactar)|si es urgente|responderé|"
        r"le atenderé|acceso limitado)"
    ),
    (
        r"\b(?:em caso de urgência|assuntos? urgentes?|na minha ausência|durante a minha ausência|no meu regresso|"
        r"quando (?:regressar|retornar|voltar)|(?:por favor,? |favor )(?:contacte|contate|entre em contato|entrar em contato|"
        r"contactar)|responderei|se for urgente|acesso limitado|retornarei|casos? urgentes?)"
    ),
    (
        r"\b(?:in caso di urgenz|per (?:urgenze|questioni urgenti|comunicazioni urgenti|qualsiasi|necessità)|in mia assenza|"
        r"durante la mia assenza|al mio (?:rientro|ritorno)|potete (?:contattare|rivolgervi)|(?:si prega|vi prego|"
        r"prego) di (?:contattare|rivolger)|rispond?erò|risponderò|contattare)"
    ),
    (
        r"\b(?:bij (?:dringende|spoed|urgente)|in dringende gevallen|voor (?:dringende|spoed|urgente)|"
        r"tijdens mijn afwezigheid|na mijn terugkeer|(?:kunt|kan) u (?:contact|zich|terecht|bellen|mailen)|"
        r"neem (?:dan )?contact op|zodra ik (?:weer |terug)|terug op kantoor|uw (?:e-?mail|bericht) wordt niet)"
    ),
    (
        r"\b(?:w (?:pilnych|nagłych) (?:sprawach|przypadkach)|w sprawach pilnych|podczas mojej nieobecności|"
        r"po (?:moim )?powrocie|proszę (?:o kontakt|kontaktować|się kontaktować)|odpowiem|w czasie mojej nieobecności|"
        r"pilne sprawy)"
    ),
    (
        r"(?:по срочным|в срочных|в случае (?:срочн|необходимост)|по всем вопросам|в мо[её] отсутствие|обращайтесь|обратитесь|"
        r"обращаться|после (?:моего )?возвращения|отвечу|по возвращени|свяжитесь|ограничен\w+ доступ|за(?:мещает|меняет)|"
        r"у термінових|звертайтес|звертайтеся|після повернення)"
    ),
    (
        r"(?:如有(?:急事|紧急|緊急|要事|需要|事)|紧急(?:事|情|联系|请)|緊急(?:事|情|聯|請)|请(?:联系|致电|拨打|直接联系|"
        r"与.{1,12}联系)|請(?:聯繫|聯絡|致電|與.{1,12}聯)|回来后|回來後|尽快(?:回复|给您|给你|与您|答复)|盡快(?:回覆|與您|"
        r"回復|給您)|(?:稍后|稍後|返回后|返岗后|之后).{0,10}(?:回复|回覆|处理)|邮件已收到|您的(?:邮件|"
        r"来信)(?:我)?已(?:经)?收到|已收到您|收到您的(?:邮件|來信|来信|郵件)|回复您|回覆您)"
    ),
    (
        r"(?:お急ぎの|緊急の|至急の|ご用の方|(?:戻り|出社|帰社|休暇明け)(?:次第|後)|改めて(?:ご連絡|返信|ご返信)|までご連絡|"
        r"ご返信(?:いた|させ|が)|返信(?:が遅れ|いたします|させて)|ご連絡(?:いたし|させて|ください)|代わりに|対応(?:いたし|"
        r"させて)|自動で|ご了承)"
    ),
    (
        r"(?:급한|급하|긴급|복귀\s?(?:후|하는)|문의(?:사항|는|하)|연락(?:주|바라|드리|처|하여)|돌아(?:와서|온|오는)|회신(?:드리|"
        r"하겠|이)|답변(?:드리|이)|대신|확인(?:하|이))"
    ),
    (
        r"(?:للحالات (?:العاجلة|الطارئة)|للأمور العاجلة|في الحالات|يرجى (?:التواصل|الاتصال|مراسلة)|الرجاء (?:التواصل|الاتصال)|"
        r"عند عودتي|بعد عودتي|سأرد|سوف أرد|سأقوم|أثناء غيابي|خلال غيابي|في غيابي|محدود)"
    ),
    (
        r"\b(?:i brådskande|vid brådskande|för brådskande|akuta ärenden|vid akuta|kontakta|när jag (?:är tillbaka|kommer)|"
        r"under min frånvaro|jag svarar|återkommer|begränsad|åter (?:på|i))"
    ),
    (
        r"\b(?:i hastende|ved (?:hastende|haste|akutte|behov)|ved hast|kontakt(?:e|es)?|når jeg (?:er tilbage|er tilbake|"
        r"kommer)|under mit fravær|i mitt fravær|i mit fravær|svarer|vender tilbage|tilbake (?:på|den|igjen|i)|tilbage (?:på|"
        r"den|igen|i)|begrenset|begrænset|haster)"
    ),
    (
        r"\b(?:kiireellis|kiireisissä|poissaoloni aikana|palaan|otathan yhteyttä|ota(?:thaan)? yhteyttä|vastaan (?:viest|sähk|"
        r"palattuani)|palattuani|voit ottaa)"
    ),
    (
        r"\b(?:v naléhavých|v urgentních|v nutných|v naliehavých|kontaktujte|obraťte se|obráťte sa|po (?:svém |mém |"
        r"mojom )?návrat|v mé nepřítomnosti|odpovím|omezený přístup|zastupuje|v případě|v prípade)"
    ),
    (
        r"(?:acil (?:durum|konu|iş)|lütfen .{0,60}(?:iletişime|ulaş|başvur|irtibat|arayın)|döndüğümde|dönüşümde|yokluğumda|"
        r"sınırlı erişim|cevap vereceğim|dönüş yapacağım|yanıtlayacağım)"
    ),
    (
        r"(?:במקרה(?:ים)? (?:דחוף|דחופים|של)|לעניינים דחופים|בדחיפות|ניתן לפנות|נא לפנות|אנא פנ|אחזור (?:אליך|אליכם|ב)|"
        r"עם שובי|כשאחזור|בהיעדרי|גישה מוגבלת|אשיב|לפנות ל)"
    ),
    (
        r"(?:việc (?:gấp|khẩn)|trường hợp (?:khẩn|cấp|gấp)|vui lòng liên hệ|xin liên hệ|khi tôi (?:trở|quay)|sau khi (?:trở|"
        r"quay)|trong thời gian (?:tôi|này)|trả lời (?:bạn|sau|email)|phản hồi (?:lại|bạn|sau|khi)|hạn chế)"
    ),
    (
        r"(?:sürgős (?:esetben|ügyben)|visszatér|kérem.{0,30}(?:forduljon|keresse)|pentru (?:urgențe|situații urgente)|"
        r"vă rog.{0,20}contact|la întoarcere|για επείγοντα|επικοινωνήσ|hubungi|mendesak|ติดต่อ)"
    ),
)

MACHINE = (
    (
        r"\bthis is an? (?:automatic(?:ally generated)?|automated|auto[- ]?generated|auto[- ]?) ?(?:reply|response|message|"
        r"e-?mail|notification|acknowledg)|\b(?:automatic|automated|auto)[ -]?(?:reply|response|responder) (?:message )?(?:to|"
        r"from|confirm|because)|"
        r"\bthis (?:reply|response|e-?mail|message) (?:was|is|has been) (?:automatically (?:generated|sent)|(?:sent|"
        r"generated) automatically|auto-?generated)|\bplease do not reply to this (?:automat|message|e-?mail)|"
        r"\bdo[- ]not[- ]reply to this"
    ),
    (
        r"\bdie(?:s|se) (?:ist eine|e-?mail|nachricht|mail|antwort) .{0,40}automatisch|\bautomatisch (?:erstellte|generierte|"
        r"erzeugte|versendete)|\bautomatische (?:antwort|nachricht|rückmeldung|abwesenheit)"
    ),
    (
        r"\b(?:ceci est|cet? (?:e-?mail|message|réponse|courriel)|il s'agit d').{0,40}automatique|\bréponse automatique|"
        r"merci de ne pas répondre à ce"
    ),
    (
        r"\b(?:este es un|esta es una|este (?:mensaje|correo)).{0,40}automátic|\brespuesta automática|\b(?:esta é uma|"
        r"este é um|esta (?:mensagem|resposta)|este e-?mail).{0,40}automátic|\bresposta automática"
    ),
    (
        r"\bquest[oa] (?:è|e-?mail|messaggio|risposta).{0,40}automatic|\brisposta automatica|\bdit is een automatisch|"
        r"\bautomatisch (?:antwoord|gegenereerd|bericht)|\bautomatische (?:reactie|ontvangst)"
    ),
    (
        r"\b(?:to jest|ta|niniejsza) (?:wiadomość|automatyczna).{0,40}automatyczn|\bautomatyczna odpowiedź|"
        r"\bwiadomość (?:została )?wygenerowana automatycznie|(?:это|данное|этот|настоящее).{0,40}автоматическ|"
        r"автоматический ответ|автоответ|сгенерировано автоматически|автоматично|автоматична відповідь"
    ),
    (
        r"自动(?:回复|答复|应答|发送|生成)|自動(?:回覆|答覆|回復|發送|產生|返信|応答|送信|配信|的に)|请勿(?:直接)?回复|"
        r"請勿(?:直接)?回覆|자동(?:으로)?\s?(?:회신|응답|발송|발신|답장|생성)|رد (?:تلقائي|آلي)|رسالة (?:تلقائية|آلية)|"
        r"الرد (?:التلقائي|الآلي)|تلقائي"
    ),
    (
        r"\b(?:detta|det här) är ett (?:automatiskt|autosvar|automat)|\bdette er (?:en|et) auto|\bautomatisk (?:svar|besked|"
        r"melding|genereret|generert)|\bautosvar|\bautomatiskt (?:svar|genererat)|\btämä on automaatti|\bautomaatti(?:nen|"
        r"vastaus)|\btoto je automatick|\bautomatick(?:á|ou) (?:odpověď|zpráv|odpoveď)|otomatik (?:bir )?(?:yanıt|cevap|mesaj|"
        r"olarak)|(?:תשובה|מענה|הודעה) אוטומט|(?:thư|tin nhắn|email|phản hồi|trả lời).{0,15}tự động|automatikus|"
        r"răspuns automat|αυτόματ"
    ),
)

#: Subjects of bounces. They count for a sender that is a machine; the rest of the subject is free.
BOUNCE_SUBJECTS = (
    (
        r"undeliver(?:ed|able)|undelivered mail returned to sender|(?:mail|message|e-?mail) (?:delivery )?(?:failed|failure|"
        r"error|warning|status|undeliverable|could not be delivered|not delivered|is undeliverable)|"
        r"delivery (?:status|failure|failed|has failed|error|notification|problem|report|incomplete|delayed|"
        r"temporarily suspended|unsuccessful)|failure notice|failed mail|failure delivery|returned (?:mail|to sender|"
        r"e-?mail|message)|"
        r"non[- ]?deliver(?:y|able)|"
        r"mail (?:system error|returned|could not be sent)|message (?:delayed|not delivered|bounced)|bounced? (?:mail|e-?mail|"
        r"message)|rejected(?: message)?:|nondeliverable|could not (?:send|deliver)|warning: (?:could not send|message)|"
        r"unable to deliver|cannot deliver|address not found|\*+ ?message (?:you sent )?blocked|recipient (?:unknown|"
        r"not found)|ndn:|dsn:|returned mail: |mail failure|mailbox (?:full|unavailable|is full)|your message (?:could not|"
        r"was not|to .{1,80} (?:couldn't|could not))|warning - delayed mail|message blocked|undeliverable mail|over quota|"
        r"delayed: |expired: "
    ),
    (
        r"unzustellbar|nicht zustellbar|zustell(?:ung|fehler|problem|bericht).{0,40}|(?:nachricht|mail|e-?mail) (?:nicht|"
        r"konnte nicht|unzustellbar)|ihre (?:nachricht|e-?mail).{0,60}(?:nicht|zugestellt)|unzustellbare|"
        r"übermittlung fehlgeschlagen|rückläufer|verzögert"
    ),
    (
        r"non (?:remis|délivr|distribu)|échec (?:de|d')|notification d[e']|message non|courrier non|retour à l'expéditeur|"
        r"avis de non|non-remise|la remise|votre message n'a pas|courriel non|remise (?:retardée|impossible)|"
        r"rapport de non-remise"
    ),
    (
        r"no (?:se puede|se ha podido|se pudo|entregado|entregable)|notificación de(?:l)? (?:estado|entrega|fallo|error)|"
        r"error (?:de|en la) entrega|entrega (?:fallida|retrasada)|correo (?:devuelto|no entregado)|mensaje no entregado|"
        r"devuelto al remitente|fallo (?:en|de) (?:la )?entrega|imposible entregar|su mensaje no"
    ),
    (
        r"não (?:é possível|foi possível|entregue)|falha (?:na|de|no) (?:entrega|envio)|(?:mensagem|e-?mail) (?:não|devolvid)|"
        r"notificação de(?: status)? (?:entrega|falha|status)|devolvid[oa] ao remetente|entrega (?:atrasada|não)"
    ),
    (
        r"non recapit|mancat[ao] (?:recapito|consegna)|impossibile (?:recapitare|consegnare)|messaggio (?:non|restituito)|"
        r"notifica (?:di|sullo stato)|errore (?:di|nella) consegna|posta non|consegna (?:non|ritardata)|avviso di mancat"
    ),
    (
        r"onbestelbaar|niet (?:bezorgd|afgeleverd|besteld)|bericht (?:niet|kan niet|onbestelbaar)|bezorging|aflever(?:ing|"
        r"fout)|kan niet worden (?:bezorgd|afgeleverd)|melding van (?:de )?(?:aflever|bezorg)|vertraagd"
    ),
    (
        r"nie (?:można|udało się|dostarczono)|niedostarczon|niedoręczon|zwrot|powiadomienie o (?:stanie|niedostarczeniu)|"
        r"błąd (?:dostarczania|doręczenia)|wiadomość (?:nie|niedostarczona)|raport o niedostarczeniu|opóźnion"
    ),
    (
        r"не (?:удается|удалось|доставлен)|недоставлен|сообщение не (?:доставлен|было)|(?:уведомление|отчет|"
        r"отчёт) о (?:недоставке|доставке|статусе|состоянии)|ошибка доставки|возврат|невозможно доставить|"
        r"письмо не (?:доставлено|было)|не вдалося|не доставлено|задержка"
    ),
    (
        r"系统退信|系統退信|退信|无法(?:投递|送达|发送)|無法(?:投遞|傳遞|傳送|送達|寄送)|未(?:送达|送達|传递|傳遞|投递|"
        r"能送达)|投递失败|投遞失敗|邮件(?:投递|发送|退回|被退回|未)|郵件(?:傳遞|退回|投遞|無法|未)|退回(?:邮件|郵件|的邮件)|"
        r"传递(?:失败|状态)|傳遞(?:失敗|狀態)|发送失败|來自.{1,30}的退信|来自.{1,30}的退信|寄送失敗|延迟|延遲"
    ),
    (
        r"配信(?:不能|エラー|状況|失敗|できま|遅延|に失敗)|配達(?:不能|できま|状況|の失敗|されませ)|送信(?:エラー|できま|失敗|"
        r"に失敗)|メール(?:が|を)?(?:配信|送信|配達|届).{0,10}(?:できま|失敗|エラー|不能)|不達|未配信|エラーメール|配信未完了|"
        r"リターンメール|宛先不明"
    ),
    (
        r"배달(?:되지|할 수|\s?실패|\s?상태|\s?지연)|전송(?:\s?실패|되지|할 수|하지 못)|발송\s?(?:실패|에 실패)|(?:메일|"
        r"메시지)(?:을|를|이|가)?\s?(?:전송|배달|발송|전달).{0,8}(?:못|실패|없)|반송|전달되지|전달\s?실패"
    ),
    (
        r"تعذر (?:التسليم|تسليم|إرسال)|لم يتم (?:تسليم|التسليم|إرسال)|فشل (?:التسليم|تسليم|في تسليم|إرسال)|"
        r"غير قابل(?:ة)? للتسليم|إشعار (?:حالة|بحالة|فشل)|تعذّر"
    ),
    (
        r"kunde inte levereras|går inte att leverera|ej levererbar|oleveransbar|leverans(?:fel|status|en misslyckades)|"
        r"kunne ikke leveres|kan ikke leveres|ikke leveret|ikke levert|leverings(?:fejl|feil|status)|levering (?:mislykkedes|"
        r"mislyktes)|ulevert|uleveret|kan inte levereras|"
        r"toimitus (?:epäonnistui|ei)|ei voi(?:tu|da)? (?:toimittaa|välittää)|toimittamaton|ei toimitettu|perille|"
        r"nedoruč(?:eno|itelné|iteľné|ené)|nelze doručit|doručení (?:se nezdařilo|selhalo)|nepodařilo se doručit|"
        r"oznámení o (?:stavu )?doručen|"
        r"teslim (?:edilemedi|edilemiyor|hatası|edilmedi)|gönderilemedi|iletilemedi|teslimat (?:durumu|hatası)|"
        r"לא ניתן (?:למסור|לשלוח)|לא נמסר|כשל (?:ב)?(?:מסירה|משלוח)|מסירה נכשלה|לא ניתנת למסירה|không (?:thể )?(?:gửi|chuyển|"
        r"phát) được|không thể gửi|gửi (?:không thành công|thất bại)|chưa gửi được|"
        r"kézbesíthetetlen|nem kézbesíthető|sikertelen kézbesítés|nelivrat|nu (?:a putut|poate) fi livrat|μη παραδοτέο|"
        r"αδυναμία παράδοσης|αποτυχία παράδοσης|tidak terkirim|gagal terkirim|pengiriman gagal|ส่งไม่ถึง|ไม่สามารถส่ง"
    ),
)

#: What bounces say in their text, apart from status codes.
BOUNCE_TEXTS = (
    (
        r"(?:could ?n[o']t|could not|cannot|can't|unable to|was not|wasn't|were not|has not been|not be|failed to be|"
        r"fail(?:ed)? to) (?:be )?(?:delivere?d?|sent|reach)|delivery (?:to the following|has failed|failed|failure|"
        r"temporarily|permanently)|permanent (?:fatal )?(?:error|failure)|"
        r"this is the mail system|this is the (?:qmail-send|mail delivery|postfix|e-?mail)|"
        r"message created automatically by mail delivery software|undeliverable|returned (?:to sender|message|below)|"
        r"user (?:unknown|doesn't|does not|not found)|no such (?:user|recipient|person|address|mailbox)|unknown (?:user|"
        r"recipient|address)|mailbox (?:is )?(?:full|unavailable|not found|over quota|disabled)|"
        r"recipient (?:address )?rejected|address (?:not found|rejected|couldn't be found|does not exist)|does not exist|"
        r"over quota|quota exceeded|host (?:unknown|not found)|relay(?:ing)? (?:access )?denied|"
        r"transcript of session|following (?:address|recipient)|had (?:permanent|transient)|account (?:has been )?(?:disabled|"
        r"is disabled|inactive)|message (?:was |has been )?(?:blocked|rejected|bounced|delayed)|delivery attempts|"
        r"will be retried|keep trying|i'm afraid i wasn't able|sorry,? (?:we were unable|i couldn't find|no mailbox|"
        r"your message)|wasn't delivered|the mail system|diagnostic information"
    ),
    (
        r"(?:konnte|konnten|kann|wurde) (?:leider )?.{0,60}nicht (?:zugestellt|ausgeliefert|gesendet|übermittelt)|"
        r"unzustellbar|empfänger(?:adresse)? (?:unbekannt|existiert|wurde nicht|nicht gefunden)|postfach (?:ist )?(?:voll|"
        r"nicht)|zustellung .{0,60}(?:fehlgeschlagen|nicht möglich|gescheitert|verzögert)|fehlgeschlagen"
    ),
    (
        r"n'a (?:pas )?pu être (?:remis|délivré|distribué|livré|envoyé)|n'ont pas pu|n'a pas été (?:remis|distribué|délivré)|"
        r"impossible de (?:remettre|livrer|délivrer|distribuer)|destinataire (?:inconnu|introuvable)|adresse (?:introuvable|"
        r"inconnue|est introuvable)|boîte (?:de réception|aux lettres|mail).{0,20}pleine|échec (?:permanent|de la remise|"
        r"de remise)"
    ),
    (
        r"no (?:se )?(?:ha |pudo |puede )?(?:podido )?(?:ser )?entreg|no se (?:ha podido|pudo|puede)|"
        r"destinatario (?:desconocido|no existe)|(?:dirección|buzón) .{0,40}(?:no existe|no se (?:ha )?encontr|lleno)|"
        r"error permanente|não (?:foi possível|pôde ser|pode ser|foi) entreg|não existe|caixa (?:de correio|"
        r"postal) .{0,20}cheia|endereço .{0,40}não|falha permanente"
    ),
    (
        r"non (?:è stato possibile|è stato|può essere|ha potuto) .{0,30}(?:recapit|consegn|invi)|impossibile (?:recapitare|"
        r"consegnare)|destinatario (?:sconosciuto|inesistente)|casella .{0,20}piena|niet (?:worden )?(?:bezorgd|afgeleverd|"
        r"besteld)|onbekende? (?:gebruiker|ontvanger)|mailbox .{0,10}vol|kon niet worden"
    ),
    (
        r"nie (?:mogła|może|można|udało się|została) .{0,40}dostarcz|nieznany (?:użytkownik|adresat)|skrzynka .{0,30}(?:pełna|"
        r"przepełniona)|adres .{0,30}nie istnieje|не (?:удалось|может быть|было|были|удается|доставлен\w*) .{0,40}(?:доставл|"
        r"доставит|отправ)|не (?:существует|найден)|недоставлен|пользователь .{0,20}не|почтовый ящик .{0,30}(?:переполнен|не)|"
        r"не доставлено|не вдалося доставити"
    ),
    (
        r"无法(?:投递|送达|发送|传递|到达)|無法(?:投遞|傳遞|傳送|送達|到達|寄送)|投递失败|被退回|退信|收件人(?:不存在|地址|"
        r"邮箱|被拒|信箱)|邮箱(?:已满|不存在|空间)|郵箱(?:已滿|不存在)|信箱(?:已滿|不存在)|用户不存在|使用者不存在|拒收|"
        r"未(?:能)?(?:送达|送達|傳遞|传递)|很抱歉.{0,20}(?:没有|无法|未能)"
    ),
    (
        r"(?:配信|配達|送信|お届け|送達)(?:する)?(?:こと)?(?:が|は|に)?(?:でき(?:ません|なかった)|されません|失敗|不能|"
        r"エラー)|宛先.{0,12}(?:存在|見つか|不明)|メールボックスが(?:一杯|いっぱい)|(?:배달|전송|발송|전달).{0,8}(?:못|실패|"
        r"없|되지)|존재하지 않|수신자|용량 초과|반송"
    ),
    r"تعذر (?:تسليم|إرسال)|لم يتم (?:تسليم|إرسال)|لم يتمكن|غير موجود|لا يمكن (?:تسليم|إرسال)|فشل|صندوق .{0,20}ممتلئ",
    (
        r"(?:kunde|kan|gick) inte (?:levereras|att leverera|skickas)|okänd (?:mottagare|användare)|(?:kunne|"
        r"kan) ikke (?:leveres|afleveres|sendes)|ukendt modtager|ukjent mottaker|ei voi(?:tu|da)? (?:toimittaa|välittää|"
        r"perille)|tuntematon|toimitus epäonnistui|(?:nelze|nemohla být|nebylo možné|nepodařilo se) .{0,30}doruč|neexistuje|"
        r"teslim (?:edilemedi|edilemiyor)|iletilemedi|bulunamadı|לא ניתן למסור|לא נמסר|לא קיים|không (?:thể )?(?:gửi|chuyển|"
        r"phát)|không tồn tại|nem (?:sikerült|lehetett|kézbesíthető)|nu a (?:putut|fost) (?:fi )?livrat|δεν (?:ήταν δυνατή|"
        r"παραδόθηκε)"
    ),
)

#: What customers write about and notices do not: with it, words alone prove no absence notice.
CONCERNS = (
    r"\b(?:deliver\w*|parcels?|packages?|couriers?|refund\w*|ship(?:ped|ping|ment)?|my order|the order|invoice|"
    r"liefer\w*|paket\w*|päckchen|bestell\w*|zustell\w*|rechnung\w*|colis|livr\w+|commande|facture|pedido|paquete|entreg\w+|envío|"
    r"encomenda|fatura|pacco|consegn\w+|ordine|spedi\w+|fattura|pakket\w*|bezorg\w*|bestelling|lever(?:en|ing|ans|eras?)\w*|"
    r"zamówieni\w+|paczk\w+|kurier\w*|dostaw\w+|dostarcz\w+|beställning\w*|paketet|pakke\w*|bestilling\w*|toimit\w+|tilau\w+|"
    r"objednávk\w+|zásilk\w+|doruč\w+|sipariş\w*|kargo\w*|teslim\w*|rendelés\w*|csomag\w*)\b|заказ|посылк|достав|курьер|замовлен|"
    r"订单|快递|包裹|发货|送货|收货|訂單|快遞|出貨|送貨|收貨|注文|配達|荷物|お届け|배송|주문|택배|طلبي|الطلب|توصيل|"
    r"شحن|הזמנה|משלוח|חבילה|đơn hàng|giao hàng"
)

DELAYED = (
    r"delay(?:ed)?|will (?:be )?(?:retr|continue|keep)|not (?:yet )?been delivered|still (?:being )?(?:tr|retr)|temporar|"
    r"(?:you )?do not need to resend|warning message only|no action is required|"
    r"verzögert|noch nicht zugestellt|weiterhin versucht|retardée|sera (?:à nouveau|réessay)|retrasad|atrasad|ritardat|"
    r"vertraagd|opóźnion|задерж|временн|延迟|延遲|稍后重试|遅延|再送|지연|متأخر|fördröj|forsinke|viiväst|zpožděn|gecik"
)

#: Senders of challenges that ask a sender to prove that they are a person.
CHALLENGES = (
    r"(?:please )?(?:confirm|verify) (?:that )?(?:you (?:are|sent)|your (?:message|e-?mail|identity|"
    r"sender)).{0,80}(?:human|person|spam|sender|deliver|message)|"
    r"sender (?:verification|authentication|confirmation)|spam ?arrest|boxbe|sanebox challenge|tmda|challenge[- ]response|"
    r"click (?:on )?(?:the|this) link .{0,60}(?:deliver|release) (?:your|the) (?:message|e-?mail)|"
    r"your (?:message|e-?mail) (?:is|has been) (?:being )?(?:held|quarantined|placed on hold|waiting).{0,120}(?:confirm|"
    r"verify|authenticate|approve)|waiting list|guest list|"
    r"antispam uol|mailinblack|vérification de l'expéditeur|bestätigen sie.{0,40}(?:absender|zustell)|confirme? (?:que es|"
    r"su (?:identidad|mensaje)|seu e-?mail)|подтвердите.{0,40}(?:отправ|человек)|为了确认您不是"
)
