"""The words of dates in fourteen languages.

Words of one value are separated by "/", values by spaces, "_" stands for a space. Words that mean other things in running text
("may", "mar", "sun", "so", "mi") are read only beside a day's number, or in a direct answer.
"""

MONTHS = {  # January to December
    "en": "january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sept/sep"
    " october/oct november/nov"
    " december/dec",
    "de": "januar/jänner/jan februar/feber/feb märz/mrz april/apr mai juni/jun juli/jul august/aug"
    " september/sept/sep oktober/okt"
    " november/nov dezember/dez",
    "fr": "janvier/janv février/févr mars avril/avr mai juin juillet/juil août septembre/sept octobre/oct"
    " novembre/nov décembre/déc",
    "es": "enero/ene febrero/feb marzo/mar abril/abr mayo/may junio/jun julio/jul agosto/ago"
    " septiembre/setiembre/sept/sep octubre/oct"
    " noviembre/nov diciembre/dic",
    "pt": "janeiro/jan fevereiro/fev março/mar abril/abr maio/mai junho/jun julho/jul agosto/ago setembro/set"
    " outubro/out novembro/nov"
    " dezembro/dez",
    "it": "gennaio/gen febbraio/feb marzo/mar aprile/apr maggio/mag giugno/giu luglio/lug agosto/ago settembre/set"
    " ottobre/ott"
    " novembre/nov dicembre/dic",
    "nl": "januari/jan februari/feb maart/mrt april/apr mei juni/jun juli/jul augustus/aug september/sept/sep"
    " oktober/okt november/nov"
    " december/dec",
    "pl": "stycznia/styczeń/sty lutego/luty/lut marca/marzec/mar kwietnia/kwiecień/kwi maja/maj czerwca/czerwiec/cze"
    " lipca/lipiec/lip sierpnia/sierpień/sie września/wrzesień/wrz października/październik/paź listopada/listopad/lis"
    " grudnia/grudzień/gru",
    "ru": "января/январь/янв февраля/февраль/фев марта/март/мар апреля/апрель/апр мая/май июня/июнь/июн июля/июль/июл"
    " августа/август/авг сентября/сентябрь/сен октября/октябрь/окт ноября/ноябрь/ноя декабря/декабрь/дек",
    "ar": "يناير/كانون_الثاني فبراير/شباط مارس/آذار أبريل/إبريل/نيسان مايو/أيار يونيو/حزيران يوليو/تموز أغسطس/آب"
    " سبتمبر/أيلول"
    " أكتوبر/تشرين_الأول نوفمبر/تشرين_الثاني ديسمبر/كانون_الأول",
    "tr": "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
}

WEEKDAYS = {  # Monday to Sunday; short forms only where they are no other word
    "en": "monday tuesday/tues wednesday thursday/thurs friday saturday sunday",
    "de": "montag dienstag mittwoch donnerstag freitag samstag/sonnabend sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "pt": "segunda-feira terça-feira/terça quarta-feira quinta-feira sexta-feira sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "pl": "poniedziałek wtorek środa/środę czwartek piątek sobota/sobotę niedziela/niedzielę",
    "ru": "понедельник вторник среда/среду четверг пятница/пятницу суббота/субботу воскресенье",
    "ja": "月曜日/月曜 火曜日/火曜 水曜日/水曜 木曜日/木曜 金曜日/金曜 土曜日/土曜 日曜日/日曜",
    "ko": "월요일 화요일 수요일 목요일 금요일 토요일 일요일",
    "ar": "الاثنين/الإثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
    "tr": "pazartesi salı çarşamba perşembe cuma cumartesi pazar",
}

DAYS = {  # days from today
    "en": {0: "today/tonight", 1: "tomorrow/tmrw", 2: "day_after_tomorrow/the_day_after_tomorrow", -1: "yesterday",
           -2: "day_before_yesterday/the_day_before_yesterday"},
    "zh": {0: "今天/今日", 1: "明天/明日", 2: "后天/後天", 3: "大后天/大後天", -1: "昨天/昨日", -2: "前天", -3: "大前天"},
    "de": {0: "heute", 1: "morgen", 2: "übermorgen", -1: "gestern", -2: "vorgestern"},
    "fr": {0: "aujourd'hui", 1: "demain", 2: "après-demain/après_demain", -1: "hier", -2: "avant-hier/avant_hier"},
    "es": {0: "hoy", 1: "mañana", 2: "pasado_mañana", -1: "ayer", -2: "anteayer/antes_de_ayer/antier"},
    "pt": {0: "hoje", 1: "amanhã", 2: "depois_de_amanhã", -1: "ontem", -2: "anteontem"},
    "it": {0: "oggi", 1: "domani", 2: "dopodomani", -1: "ieri", -2: "l'altro_ieri/altro_ieri"},
    "nl": {0: "vandaag", 1: "morgen", 2: "overmorgen", -1: "gisteren", -2: "eergisteren"},
    "pl": {0: "dzisiaj/dziś", 1: "jutro", 2: "pojutrze", -1: "wczoraj", -2: "przedwczoraj"},
    "ru": {0: "сегодня", 1: "завтра", 2: "послезавтра", -1: "вчера", -2: "позавчера"},
    "ja": {0: "今日/本日", 1: "明日/あした", 2: "明後日/あさって", -1: "昨日", -2: "一昨日/おととい"},
    "ko": {0: "오늘", 1: "내일", 2: "모레", -1: "어제", -2: "그저께"},
    "ar": {0: "اليوم", 1: "غدا/غدًا", 2: "بعد_غد/بعد_غدا", -1: "أمس/البارحة", -2: "أول_أمس"},
    "tr": {0: "bugün", 1: "yarın", 2: "öbür_gün", -1: "dün", -2: "evvelsi_gün"},
}  # fmt: skip

# Greetings and times of day that contain a day's word. What they cover is not searched further.
NOT_DAYS = {
    "de": ["guten morgen", "heute morgen", "gestern morgen", "am morgen", "jeden morgen"],
    "nl": ["goede morgen", "deze morgen"],
    "es": ["la mañana", "de la mañana", "por la mañana"],
    "ja": ["今日は"],
    "ar": ["هذا اليوم من"],
}

# Weeks from this one, written before or after a weekday. "next" is the week after the current one when the day is still to
# come in this week ("next Friday", said on a Wednesday), as most people
# in these languages mean it; where most mean the coming day, it is 0.
WEEK_SHIFTS = {
    "en": {1: "next", 0: "this/this_coming/coming/on", -1: "last/past/this_past"},
    "de": {1: "nächsten/nächster/nächste/nächstem", 0: "diesen/dieser/kommenden/kommender/am", -1: "letzten/letzter/vergangenen"},
    "fr": {1: "prochain", 0: "ce", -1: "dernier/passé"},
    "es": {1: "que_viene", 0: "este/el/próximo/próxima", -1: "pasado/último"},
    "pt": {1: "que_vem", 0: "esta/nesta/este/neste/próxima/próximo", -1: "passada/passado/última/último"},
    "it": {1: "prossimo/prossima", 0: "questo/questa", -1: "scorso/scorsa"},
    "nl": {1: "volgende", 0: "deze/komende/aanstaande", -1: "vorige/afgelopen"},
    "pl": {1: "następny/następną/następna/następnej/przyszły/przyszłą", 0: "ten/tę/ta/najbliższy/najbliższą",
           -1: "zeszły/zeszłą/ostatni/ostatnią/ubiegły"},
    "ru": {1: "следующий/следующую/следующее/следующая", 0: "этот/эту/это/ближайший/ближайшую", -1: "прошлый/прошлую/прошлое"},
    "ja": {1: "来週の/来週", 0: "今週の/今週", -1: "先週の/先週", 2: "再来週の/再来週"},
    "ko": {1: "다음_주/다음주", 0: "이번_주/이번주", -1: "지난_주/지난주", 2: "다다음_주"},
    "ar": {1: "القادم/القادمة/المقبل/المقبلة", 0: "هذا/هذه", -1: "الماضي/الماضية"},
    "tr": {1: "gelecek/önümüzdeki/haftaya", 0: "bu", -1: "geçen"},
}  # fmt: skip

# Spans of time counted from today: the words before and after the number, and the units. "#" is the number.
UNITS = {  # day, week, month, year
    "en": "day/days week/weeks month/months year/years",
    "zh": "天/日 个星期/星期/周/个礼拜/個星期/週 个月/個月 年",
    "de": "tag/tage/tagen woche/wochen monat/monate/monaten jahr/jahre/jahren",
    "fr": "jour/jours semaine/semaines mois an/ans",
    "es": "día/días semana/semanas mes/meses año/años",
    "pt": "dia/dias semana/semanas mês/meses ano/anos",
    "it": "giorno/giorni settimana/settimane mese/mesi anno/anni",
    "nl": "dag/dagen week/weken maand/maanden jaar",
    "pl": "dzień/dni tydzień/tygodnie/tygodni/tygodniu miesiąc/miesiące/miesięcy rok/lata/lat",
    "ru": "день/дня/дней неделю/недели/недель месяц/месяца/месяцев год/года/лет",
    "ja": "日 週間 か月/ヶ月/カ月 年",
    "ko": "일 주 개월/달 년",
    "ar": "يوم/أيام أسبوع/أسابيع شهر/أشهر/شهور سنة/سنوات",
    "tr": "gün hafta ay yıl/sene",
}
COUNTED = {  # future forms, past forms
    "en": (["in #", "# from now"], ["# ago"]),
    "zh": (["#后", "#之后", "#以后", "#後"], ["#前", "#之前", "#以前"]),
    "de": (["in #"], ["vor #"]),
    "fr": (["dans #"], ["il y a #"]),
    "es": (["en #", "dentro de #"], ["hace #"]),
    "pt": (["em #", "daqui a #", "dentro de #"], ["há #", "# atrás"]),
    "it": (["tra #", "fra #"], ["# fa"]),
    "nl": (["over #"], ["# geleden"]),
    "pl": (["za #"], ["# temu"]),
    "ru": (["через #"], ["# назад"]),
    "ja": (["#後"], ["#前"]),
    "ko": (["# 후", "# 뒤"], ["# 전"]),
    "ar": (["بعد #"], ["قبل #", "منذ #"]),
    "tr": (["# sonra"], ["# önce"]),
}
ARTICLES = {"en": ["a", "an", "couple of"]}  # read as a number before a unit
ARTICLE_VALUES = {"a": 1, "an": 1, "couple of": 2}
