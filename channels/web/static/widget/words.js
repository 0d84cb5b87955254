// The words of the interface. A new language needs its line here, and nothing else.

const WORDS = {
  en: {
    title: "Customer service", open: "Open chat", close: "Close chat", unread: "unread", online: "We are here for you",
    connecting: "Connecting…", offline: "No connection. What you write is sent when it is back.", greeting: "Hello! How can we help?",
    placeholder: "Write a message…", message: "Your message", send: "Send", attach: "Attach a file", remove: "Remove",
    sending: "Sending", sent: "Sent", failed: "Not sent", retry: "Try again", edited: "edited", typing: "{name} is typing", listening: "Listening…", assistant: "Assistant",
    you: "You", source: "Source", sources: "Sources", choices: "Possible answers", older: "Show earlier messages",
    newer: "To the newest message", escalated: "A colleague will answer here", taken: "{name} joined",
    returned: "The assistant answers again", resolved: "This matter is closed",
    tooLong: "{n} characters too many", tooLarge: "{name} is too large: at most {n} MB", wrongType: "{name}: files of this type are not taken",
    uploadFailed: "{name} could not be uploaded", uploading: "Uploading {name}", download: "Download {name}", busy: "A moment, please…",
    record: "Record a voice message", recording: "Recording", voiceNote: "Voice message", heard: "Heard", noMicrophone: "The microphone cannot be used. Allow it in the browser, or write to us.",
  },
  zh: {
    title: "在线客服", open: "打开聊天", close: "关闭聊天", unread: "条未读", online: "随时为您服务",
    connecting: "正在连接…", offline: "网络已断开，恢复后会自动发送。", greeting: "您好！请问有什么可以帮您？",
    placeholder: "请输入消息…", message: "您的消息", send: "发送", attach: "添加附件", remove: "移除",
    sending: "发送中", sent: "已发送", failed: "发送失败", retry: "重试", edited: "已编辑", typing: "{name}正在输入", listening: "正在收听…", assistant: "智能助手",
    you: "您", source: "来源", sources: "来源", choices: "可选回答", older: "查看更早的消息",
    newer: "查看最新消息", escalated: "人工客服将在此回复您", taken: "{name} 已加入",
    returned: "智能助手继续为您服务", resolved: "本次咨询已结束",
    tooLong: "超出 {n} 个字", tooLarge: "{name} 太大，最多 {n} MB", wrongType: "{name}：不支持此类文件",
    uploadFailed: "{name} 上传失败", uploading: "正在上传 {name}", download: "下载 {name}", busy: "请稍候…",
    record: "录制语音消息", recording: "正在录音", voiceNote: "语音消息", heard: "听到的内容", noMicrophone: "无法使用麦克风。请在浏览器中允许，或用文字告诉我们。",
  },
  de: {
    title: "Kundenservice", open: "Chat öffnen", close: "Chat schließen", unread: "ungelesen", online: "Wir sind für Sie da",
    connecting: "Verbindung wird aufgebaut…", offline: "Keine Verbindung. Ihre Nachrichten werden später gesendet.", greeting: "Guten Tag! Wie können wir helfen?",
    placeholder: "Nachricht schreiben…", message: "Ihre Nachricht", send: "Senden", attach: "Datei anhängen", remove: "Entfernen",
    sending: "Wird gesendet", sent: "Gesendet", failed: "Nicht gesendet", retry: "Erneut versuchen", edited: "bearbeitet", typing: "{name} schreibt", listening: "Hört zu…", assistant: "Assistent",
    you: "Sie", source: "Quelle", sources: "Quellen", choices: "Mögliche Antworten", older: "Frühere Nachrichten zeigen",
    newer: "Zur neuesten Nachricht", escalated: "Eine Kollegin oder ein Kollege antwortet hier", taken: "{name} ist jetzt dabei",
    returned: "Der Assistent antwortet wieder", resolved: "Das Anliegen ist abgeschlossen",
    tooLong: "{n} Zeichen zu viel", tooLarge: "{name} ist zu groß: höchstens {n} MB", wrongType: "{name}: Dateityp nicht erlaubt",
    uploadFailed: "{name} konnte nicht hochgeladen werden", uploading: "{name} wird hochgeladen", download: "{name} herunterladen", busy: "Einen Moment bitte…",
    record: "Sprachnachricht aufnehmen", recording: "Aufnahme läuft", voiceNote: "Sprachnachricht", heard: "Gehört", noMicrophone: "Das Mikrofon ist nicht verfügbar. Erlauben Sie es im Browser, oder schreiben Sie uns.",
  },
  fr: {
    title: "Service client", open: "Ouvrir le chat", close: "Fermer le chat", unread: "non lus", online: "Nous sommes là pour vous",
    connecting: "Connexion…", offline: "Pas de connexion. Vos messages partiront dès son retour.", greeting: "Bonjour ! Comment pouvons-nous vous aider ?",
    placeholder: "Écrivez un message…", message: "Votre message", send: "Envoyer", attach: "Joindre un fichier", remove: "Retirer",
    sending: "Envoi en cours", sent: "Envoyé", failed: "Non envoyé", retry: "Réessayer", edited: "modifié", typing: "{name} écrit", listening: "À l’écoute…", assistant: "Assistant",
    you: "Vous", source: "Source", sources: "Sources", choices: "Réponses possibles", older: "Afficher les messages précédents",
    newer: "Aller au dernier message", escalated: "Un conseiller va vous répondre ici", taken: "{name} a rejoint la conversation",
    returned: "L’assistant répond à nouveau", resolved: "Cette demande est close",
    tooLong: "{n} caractères de trop", tooLarge: "{name} est trop volumineux : {n} Mo au plus", wrongType: "{name} : type de fichier refusé",
    uploadFailed: "{name} n’a pas pu être envoyé", uploading: "Envoi de {name}", download: "Télécharger {name}", busy: "Un instant…",
    record: "Enregistrer un message vocal", recording: "Enregistrement en cours", voiceNote: "Message vocal", heard: "Entendu", noMicrophone: "Le micro n’est pas disponible. Autorisez-le dans le navigateur, ou écrivez-nous.",
  },
  es: {
    title: "Atención al cliente", open: "Abrir el chat", close: "Cerrar el chat", unread: "sin leer", online: "Estamos para ayudarle",
    connecting: "Conectando…", offline: "Sin conexión. Sus mensajes se enviarán cuando vuelva.", greeting: "¡Hola! ¿En qué podemos ayudarle?",
    placeholder: "Escriba un mensaje…", message: "Su mensaje", send: "Enviar", attach: "Adjuntar un archivo", remove: "Quitar",
    sending: "Enviando", sent: "Enviado", failed: "No enviado", retry: "Reintentar", edited: "editado", typing: "{name} está escribiendo", listening: "Escuchando…", assistant: "Asistente",
    you: "Usted", source: "Fuente", sources: "Fuentes", choices: "Respuestas posibles", older: "Mostrar mensajes anteriores",
    newer: "Ir al último mensaje", escalated: "Una persona le responderá aquí", taken: "{name} se ha unido",
    returned: "El asistente vuelve a responder", resolved: "Esta consulta está cerrada",
    tooLong: "Sobran {n} caracteres", tooLarge: "{name} es demasiado grande: máximo {n} MB", wrongType: "{name}: tipo de archivo no admitido",
    uploadFailed: "No se pudo subir {name}", uploading: "Subiendo {name}", download: "Descargar {name}", busy: "Un momento, por favor…",
    record: "Grabar un mensaje de voz", recording: "Grabando", voiceNote: "Mensaje de voz", heard: "Oído", noMicrophone: "No se puede usar el micrófono. Permítalo en el navegador, o escríbanos.",
  },
  ar: {
    title: "خدمة العملاء", open: "فتح المحادثة", close: "إغلاق المحادثة", unread: "غير مقروءة", online: "نحن هنا لمساعدتك",
    connecting: "جارٍ الاتصال…", offline: "لا يوجد اتصال. ستُرسل رسائلك عند عودته.", greeting: "مرحبًا! كيف يمكننا مساعدتك؟",
    placeholder: "اكتب رسالة…", message: "رسالتك", send: "إرسال", attach: "إرفاق ملف", remove: "إزالة",
    sending: "جارٍ الإرسال", sent: "أُرسلت", failed: "لم تُرسل", retry: "إعادة المحاولة", edited: "معدّلة", typing: "{name} يكتب", listening: "جارٍ الاستماع…", assistant: "المساعد",
    you: "أنت", source: "المصدر", sources: "المصادر", choices: "إجابات ممكنة", older: "عرض الرسائل السابقة",
    newer: "إلى أحدث رسالة", escalated: "سيجيبك أحد الزملاء هنا", taken: "انضم {name}",
    returned: "المساعد يجيب من جديد", resolved: "أُغلق هذا الطلب",
    tooLong: "{n} حرفًا زائدًا", tooLarge: "{name} كبير جدًا: الحد {n} م.ب", wrongType: "{name}: نوع الملف غير مقبول",
    uploadFailed: "تعذر رفع {name}", uploading: "جارٍ رفع {name}", download: "تنزيل {name}", busy: "لحظة من فضلك…",
    record: "تسجيل رسالة صوتية", recording: "جارٍ التسجيل", voiceNote: "رسالة صوتية", heard: "ما سُمع", noMicrophone: "لا يمكن استخدام الميكروفون. اسمح به في المتصفح أو اكتب إلينا.",
  },
};

const RIGHT_TO_LEFT = ["ar", "he", "fa", "ur"];

/** The interface in one language: words, and dates as people write them there. */
class Language {
  constructor(wanted) {
    const tags = [wanted, document.documentElement.lang, ...(navigator.languages || [])].filter(Boolean);
    this.tag = tags.find((tag) => WORDS[Language.#primary(tag)]) || "en";
    this.words = WORDS[Language.#primary(this.tag)];
    this.direction = RIGHT_TO_LEFT.includes(Language.#primary(this.tag)) ? "rtl" : "ltr";
    this.#time = new Intl.DateTimeFormat(this.tag, { hour: "numeric", minute: "2-digit" });
    this.#date = new Intl.DateTimeFormat(this.tag, { weekday: "long", day: "numeric", month: "long" });
    this.#relative = new Intl.RelativeTimeFormat(this.tag, { numeric: "auto" });
  }

  #time;
  #date;
  #relative;

  say(key, values = {}) {
    return this.words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  time(date) {
    return this.#time.format(date);
  }

  percent(share) {
    return new Intl.NumberFormat(this.tag, { style: "percent", maximumFractionDigits: 0 }).format(share);
  }

  /** "Today", "Yesterday" or the date. */
  day(date) {
    const midnight = (at) => new Date(at.getFullYear(), at.getMonth(), at.getDate());
    const days = Math.round((midnight(date) - midnight(new Date())) / 86400000);
    const name = days > -2 && days < 1 ? this.#relative.format(days, "day") : this.#date.format(date);
    return name.charAt(0).toLocaleUpperCase(this.tag) + name.slice(1);
  }

  static #primary(tag) {
    return tag.toLowerCase().split("-")[0];
  }
}
