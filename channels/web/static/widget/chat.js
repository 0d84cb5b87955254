// The launcher and the panel, and what ties them to the conversation.

const TYPING_SHOWN = 30000;
const PHONE = matchMedia("(max-width: 480px)");

class Chat {
  #language;
  #connection;
  #messages;
  #composer;
  #kept;
  #root;
  #launcher;
  #badge;
  #panel;
  #scroll;
  #banner;
  #subtitle;
  #typing;
  #who;
  #share;
  #older;
  #newer;
  #welcome;
  #first = null;
  #typingTimer = 0;
  #pinned = true;

  constructor({ base, language, title, style, color, position, open }) {
    this.#language = language;
    this.#kept = new Kept("localStorage", `frontdesk ${base} `);
    this.#connection = new Connection(base, language.tag, {
      history: (frame) => this.#history(frame),
      entry: (entry) => this.#entry(entry),
      typing: (frame) => this.#showTyping(frame),
      delivered: (id, at) => this.#messages.delivered(id, at),
      failed: (id, status) => this.#failed(id, status),
      state: (state) => this.#state(state),
      session: (limits) => this.#session(limits),
      reset: () => this.#messages.clear(),
    });
    this.#messages = new Messages(language, this.#connection, {
      onChoice: (choice) => this.#send({ text: "", choice, files: [] }),
      onRetry: (item) => this.#connection.send(item.frame),
    });
    this.#composer = new Composer(language, this.#connection, (frame, uploads) => this.#send(frame, uploads));
    this.#build(title, style, color, position);
    for (const frame of this.#connection.unsent) this.#pending(frame);
    if (this.#connection.known) this.#connection.start();
    if ((this.#kept.get("open") ?? open) && !PHONE.matches) this.open({ focus: false });
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  open({ focus = true } = {}) {
    if (!this.isOpen) {
      this.#panel.hidden = false;
      this.#launcher.setAttribute("aria-expanded", "true");
      this.#kept.set("open", true);
      this.#connection.start();
      this.#toEnd();
      this.#seen();
    }
    if (focus) this.#composer.focus();
  }

  close() {
    this.#composer.hide();
    this.#panel.hidden = true;
    this.#launcher.setAttribute("aria-expanded", "false");
    this.#kept.set("open", false);
    this.#launcher.focus();
  }

  /** Opens the chat and sends a question, for links on the host page. */
  ask(text) {
    this.open();
    this.#send({ text: String(text), files: [] });
  }

  #build(title, style, color, position) {
    const say = (key) => this.#language.say(key);
    this.#badge = h("span", { class: "badge", hidden: true });
    this.#launcher = h(
      "button",
      { type: "button", class: "launcher", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-label": say("open"), onclick: () => (this.isOpen ? this.close() : this.open()) },
      icon("chat"),
      icon("down"),
      this.#badge,
    );
    this.#subtitle = h("p", { class: "subtitle" }, say("online"));
    this.#banner = h("div", { class: "banner", role: "status" });
    this.#older = h("button", { type: "button", class: "older", hidden: true, onclick: () => this.#connection.before(this.#first) }, say("older"));
    this.#welcome = h("div", { class: "welcome" }, h("p", { class: "greeting" }, say("greeting")), h("div", { class: "suggestions" }));
    this.#who = h("span", { dir: "auto" });
    this.#share = h("span", { "aria-hidden": "true" });
    const dots = h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
    this.#typing = h("div", { class: "typing", hidden: true, role: "status" }, dots, this.#who, this.#share);
    this.#newer = h("button", { type: "button", class: "newer", hidden: true, "aria-label": say("newer"), onclick: () => this.#toEnd() }, icon("down"));
    this.#scroll = h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": title, onscroll: () => this.#scrolled() },
      this.#older, this.#welcome, this.#messages.element, this.#typing,
    );
    this.#panel = h(
      "section",
      { class: "panel", role: "dialog", "aria-labelledby": "title", "aria-modal": PHONE.matches ? "true" : "false", hidden: true, onkeydown: (event) => this.#key(event) },
      h(
        "header",
        {},
        h("span", { class: "mark-of-shop", "aria-hidden": "true" }, icon("chat")),
        h("div", { class: "names" }, h("h2", { id: "title", dir: "auto" }, title), this.#subtitle),
        h("button", { type: "button", class: "tool", "aria-label": say("close"), title: say("close"), onclick: () => this.close() }, icon("close")),
      ),
      this.#banner, this.#scroll, this.#newer, this.#composer.element,
    );
    const host = h("div", { id: "frontdesk-chat" });
    this.#root = host.attachShadow({ mode: "open" });
    const frame = h("div", { class: `chat ${position}`, dir: this.#language.direction, lang: this.#language.tag }, this.#panel, this.#launcher);
    if (/^#[0-9a-f]{6}$/i.test(color)) {
      frame.style.setProperty("--accent", color);
      frame.style.setProperty("--on-accent", readableOn(color));
    }
    this.#style(style);
    this.#root.append(frame);
    document.body.append(host);
    PHONE.addEventListener("change", () => this.#panel.setAttribute("aria-modal", String(PHONE.matches)));
    window.visualViewport?.addEventListener("resize", () => frame.style.setProperty("--visible", `${visualViewport.height}px`));
    document.addEventListener("visibilitychange", () => this.#seen());
    const grown = new ResizeObserver(() => this.#pinned && this.#toEnd());
    for (const part of [this.#messages.element, this.#scroll]) grown.observe(part);
    this.#panel.addEventListener("dragover", (event) => event.preventDefault());
    this.#panel.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer?.files.length) this.#composer.addFiles(event.dataTransfer.files);
    });
  }

  /** A constructed style sheet is allowed even where the host page's policy forbids inline styles. */
  #style(text) {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      this.#root.adoptedStyleSheets = [sheet];
    } catch {
      this.#root.append(h("style", {}, text));
    }
  }

  #key(event) {
    if (event.key === "Escape" && !event.isComposing) {
      event.stopPropagation();
      this.close();
    } else if (event.key === "Tab" && PHONE.matches) {
      const stops = [...this.#panel.querySelectorAll("button, textarea, a[href], summary, [tabindex='0']")].filter(
        (stop) => !stop.disabled && stop.getClientRects().length,
      );
      const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
      if (this.#root.activeElement === edge) {
        event.preventDefault();
        (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
      }
    }
  }

  // What the customer does

  #send(content, uploads = []) {
    const frame = { id: newId(), text: content.text, files: content.files };
    if (content.choice) frame.choice = content.choice;
    this.#pending(frame, uploads);
    this.#connection.send(frame);
    this.#toEnd();
  }

  #pending(frame, uploads) {
    this.#messages.addPending(frame, uploads);
    this.#messages.items.find((item) => item.id === frame.id).frame = frame;
    this.#shape();
  }

  // What comes from the server

  #history(frame) {
    if (frame.gap) {
      this.#messages.clear();
      this.#first = null;
      this.#older.hidden = false;
    }
    const bottom = this.#scroll.scrollHeight - this.#scroll.scrollTop;
    const atEnd = this.#atEnd();
    const news = frame.fresh || frame.back ? [] : frame.entries.filter((entry) => !this.#messages.has(entry.id));
    if (news.length === 1) this.#messages.add(news[0]);
    else this.#messages.addAll(frame.entries);
    if (frame.first !== null && (this.#first === null || frame.first < this.#first)) {
      this.#first = frame.first;
      this.#older.hidden = !frame.more;
    } else if (frame.back) this.#older.hidden = true;
    if (frame.back) this.#scroll.scrollTop = this.#scroll.scrollHeight - bottom;
    else if (frame.fresh || atEnd) this.#toEnd();
    if (news.some((entry) => entry.kind === "reply")) this.#hideTyping();
    this.#shape();
    this.#seen();
  }

  #entry(entry) {
    const atEnd = this.#atEnd();
    if (entry.kind === "reply") this.#hideTyping();
    this.#messages.add(entry);
    this.#shape();
    if (!atEnd) this.#newer.hidden = Boolean(entry.replaces) && this.#newer.hidden;
    else if (entry.replaces) this.#toEnd();
    else this.#toStartOf(entry.id);
    this.#seen();
  }

  #failed(id, status) {
    const canRetry = ![400, 413, 415].includes(status);
    this.#messages.failed(id, status === 413 ? this.#language.say("tooLong", { n: "" }) : undefined, canRetry);
  }

  #session(limits) {
    this.#composer.limit(limits);
    const buttons = limits.suggestions.map((text) => h("button", { type: "button", class: "choice", dir: "auto", onclick: () => this.ask(text) }, text));
    this.#welcome.lastElementChild.replaceChildren(...buttons);
  }

  #state(state) {
    const offline = state === "offline";
    this.#banner.textContent = offline ? this.#language.say("offline") : "";
    this.#panel.dataset.state = state;
    this.#shape();
  }

  /** Who types, or how much of a voice message has been heard. The share changes often and is not read aloud. */
  #showTyping({ active, agent, heard }) {
    if (!active) return this.#hideTyping();
    const atEnd = this.#atEnd();
    const listens = heard != null && !agent;
    const words = listens ? this.#language.say("listening") : this.#language.say("typing", { name: agent || this.#language.say("assistant") });
    if (this.#typing.hidden || this.#who.textContent !== words) this.#who.textContent = words;
    this.#share.textContent = listens && heard > 0 ? this.#language.percent(heard) : "";
    this.#typing.hidden = false;
    clearTimeout(this.#typingTimer);
    this.#typingTimer = setTimeout(() => this.#hideTyping(), agent ? TYPING_SHOWN / 5 : TYPING_SHOWN);
    if (atEnd) this.#toEnd();
  }

  #hideTyping() {
    clearTimeout(this.#typingTimer);
    this.#typing.hidden = true;
  }

  // What it looks like

  /** The welcome is for an empty conversation; the line below the title says who answers. */
  #shape() {
    const { items } = this.#messages;
    this.#welcome.lastElementChild.hidden = items.some((item) => item.kind === "message");
    this.#welcome.hidden = !this.#older.hidden;
    const change = items.findLast((item) => item.kind === "mark");
    const agent = change?.event === "taken" ? change.agent : null;
    const state = this.#panel.dataset.state;
    this.#subtitle.textContent = state === "connecting" || state === "offline" ? this.#language.say("connecting") : agent || this.#language.say("online");
  }

  #atEnd() {
    return this.#scroll.scrollHeight - this.#scroll.scrollTop - this.#scroll.clientHeight < 80;
  }

  #toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#newer.hidden = true;
    this.#pinned = true;
  }

  /** To the end, unless that would hide the first lines of a long reply. */
  #toStartOf(id) {
    const { node } = this.#messages.items.find((item) => item.id === id);
    this.#toEnd();
    const hidden = this.#scroll.getBoundingClientRect().top - node.getBoundingClientRect().top + 12;
    if (hidden > 0) {
      this.#scroll.scrollTop -= hidden;
      this.#pinned = false;
    }
  }

  #scrolled() {
    this.#pinned = this.#atEnd();
    if (this.#pinned) this.#newer.hidden = true;
  }

  /** Counts the replies that nobody has looked at, and forgets them once the panel is open and visible. */
  #seen() {
    const replies = this.#messages.items.filter((item) => item.kind === "reply");
    const newest = replies.length ? replies[replies.length - 1].at.getTime() : 0;
    if (this.isOpen && !document.hidden && newest) this.#kept.set("seen", newest);
    const seen = this.#kept.get("seen") || 0;
    const unread = this.isOpen ? 0 : replies.filter((item) => item.at.getTime() > seen).length;
    this.#badge.textContent = unread > 9 ? "9+" : unread || "";
    this.#badge.hidden = !unread;
    this.#launcher.setAttribute("aria-label", unread ? `${this.#language.say("open")}, ${unread} ${this.#language.say("unread")}` : this.#language.say("open"));
  }
}
