// The conversation on the screen: messages in bubbles, changes as quiet lines, days as separators.

const TOGETHER = 5 * 60 * 1000;
const OVERTAKES = 5000;

/** A message of the customer that is on its way has no server time yet, and stays at the end. */
const atOf = (item) => (item.pending ? Infinity : item.at.getTime());

class Messages {
  items = [];
  element;

  #language;
  #connection;
  #onChoice;
  #onRetry;
  #byId = new Map();

  constructor(language, connection, { onChoice, onRetry }) {
    this.#language = language;
    this.#connection = connection;
    this.#onChoice = onChoice;
    this.#onRetry = onRetry;
    this.element = h("div", { class: "log", role: "log", "aria-live": "polite", "aria-relevant": "additions" });
  }

  has(id) {
    return this.#byId.has(id);
  }

  clear() {
    this.items = this.items.filter((item) => item.pending);
    this.#byId = new Map(this.items.map((item) => [item.id, item]));
    this.#layout();
  }

  /** Adds what is new among a stretch of history, without having it read aloud. */
  addAll(entries) {
    this.element.setAttribute("aria-live", "off");
    for (const entry of entries) this.#insert(entry);
    this.#layout();
    requestAnimationFrame(() => requestAnimationFrame(() => this.element.setAttribute("aria-live", "polite")));
  }

  add(entry) {
    this.#insert(entry);
    this.#layout();
  }

  /** Something that the customer has just written. */
  addPending(frame, previews = []) {
    const files = previews.map((preview) => preview.file);
    this.#insert({ kind: "message", id: frame.id, at: Date.now(), text: frame.text, choice: frame.choice?.label, files, pending: true });
    this.#layout();
  }

  delivered(id, at) {
    const item = this.#byId.get(id);
    if (!item) return;
    item.pending = false;
    item.at = new Date(at);
    this.#state(item, "sent");
    this.#layout();
  }

  failed(id, reason, canRetry) {
    const item = this.#byId.get(id);
    if (!item) return;
    item.pending = false;
    this.#state(item, "failed", reason, canRetry);
    this.#layout();
  }

  #insert(entry) {
    const known = this.#byId.get(entry.id);
    if (known) {
      if (known.pending) this.delivered(entry.id, entry.at);
      if (entry.heard && !known.heard) this.#hear(known, entry);
      return;
    }
    const corrected = entry.replaces && this.#byId.get(entry.replaces);
    if (corrected) {
      this.#correct(corrected, entry);
      return;
    }
    const item = { ...entry, at: new Date(entry.at) };
    // The original may come later, with an older stretch of history: then it is known already.
    if (entry.replaces) this.#byId.set(entry.replaces, item);
    item.node = this.#node(item);
    this.#byId.set(item.id, item);
    let place = this.items.length;
    const first = (other) => atOf(other) > atOf(item) || (atOf(other) === atOf(item) && item.kind === "mark" && other.kind !== "mark");
    const overtaken = (other) => first(other) && (other.pending || atOf(other) - atOf(item) < OVERTAKES || this.#isOlder(item));
    while (place > 0 && overtaken(this.items[place - 1])) place--;
    this.items.splice(place, 0, item);
    if (item.pending) this.#state(item, "sending");
  }

  /** Shows what was heard in a voice note, below the player that may be playing. */
  #hear(item, { heard }) {
    item.heard = heard;
    item.node.querySelector(".bubble").append(this.#heard(heard));
  }

  /** Puts a better version in the place of a reply. What the new one does not have, such as files, stays. */
  #correct(item, entry) {
    this.#byId.set(entry.id, item);
    if (item.replaces && new Date(entry.at) < item.version) return;
    Object.assign(item, entry, { id: item.id, at: item.at, version: new Date(entry.at) });
    item.node = this.#node(item);
  }

  #isOlder(item) {
    return this.items.length > 0 && atOf(item) <= atOf(this.items[0]);
  }

  /** Puts the nodes in order and marks groups, days, the last delivery state and the buttons that still work. */
  #layout() {
    const nodes = [];
    let previous = null;
    const lastOwn = this.items.findLastIndex((item) => item.kind === "message");
    const lastChoices = this.items.findLastIndex((item) => item.choices?.length);
    this.items.forEach((item, index) => {
      const next = this.items[index + 1];
      if (!previous || this.#language.day(previous.at) !== this.#language.day(item.at)) {
        item.separator ??= h("div", { class: "day" }, h("span", {}, this.#language.day(item.at)));
        nodes.push(item.separator);
        previous = null;
      }
      item.node.classList.toggle("first", !this.#together(previous, item));
      item.node.classList.toggle("last", !this.#together(item, next));
      item.node.classList.toggle("newest", index === lastOwn);
      if (item.choices?.length) this.#enable(item, index === lastChoices && index > lastOwn, this.items[index + 1]?.choice);
      nodes.push(item.node);
      previous = item;
    });
    this.#replace(nodes);
  }

  /** Moves as little as possible, so that a screen reader hears only what is new and focus stays where it is. */
  #replace(nodes) {
    const keep = new Set(nodes);
    for (const child of [...this.element.children]) if (!keep.has(child)) child.remove();
    nodes.forEach((node, index) => {
      if (this.element.children[index] !== node) this.element.insertBefore(node, this.element.children[index] || null);
    });
  }

  #together(one, other) {
    return Boolean(
      one && other && one.kind !== "mark" && one.kind === other.kind && one.agent === other.agent && Math.abs(other.at - one.at) < TOGETHER,
    );
  }

  #node(item) {
    if (item.kind === "mark") return this.#mark(item);
    const own = item.kind === "message";
    const author = own ? this.#language.say("you") : item.agent || this.#language.say("assistant");
    const time = h("time", { datetime: item.at.toISOString(), dir: "auto" }, this.#language.time(item.at));
    item.status = own ? h("span", { class: "status" }) : null;
    const body = [
      own ? this.#plain(item.choice || item.text) : this.#markdown(item.text),
      ...(item.files || []).map((file) => this.#file(file)),
      item.heard ? this.#heard(item.heard) : null,
      item.sources?.length ? this.#sources(item.sources) : null,
    ];
    return h(
      "div",
      { class: `message ${own ? "own" : "theirs"}${item.replaces ? " edited" : ""}` },
      own ? null : h("span", { class: "avatar", "aria-hidden": "true" }, item.agent ? [...item.agent][0].toLocaleUpperCase() : icon("spark")),
      h("div", { class: own ? "author hidden" : "author", dir: "auto" }, author),
      h("div", { class: "bubble" }, body),
      item.choices?.length ? this.#choices(item) : null,
      h("div", { class: "meta" }, item.replaces ? `${this.#language.say("edited")} · ` : null, time, item.status),
    );
  }

  #mark(item) {
    const line = item.event === "taken" && !item.agent ? "escalated" : item.event;
    return h("div", { class: "mark", dir: "auto" }, this.#language.say(line, { name: item.agent }));
  }

  #plain(text) {
    return text ? h("p", { class: "plain", dir: "auto" }, text) : null;
  }

  #heard(text) {
    return h("div", { class: "heard" }, h("span", { class: "hidden" }, `${this.#language.say("heard")}: `), h("p", { class: "plain", dir: "auto" }, text));
  }

  #markdown(text) {
    const content = markdown(text || "");
    for (const node of content) if (!node.dir) node.setAttribute("dir", "auto");
    return h("div", { class: "prose" }, content);
  }

  #choices(item) {
    item.buttons = item.choices.map(({ label, value }) =>
      h("button", { type: "button", class: "choice", dir: "auto", onclick: () => this.#onChoice({ value, label, question: item.question ?? null }) }, label),
    );
    return h("div", { class: "choices", role: "group", "aria-label": this.#language.say("choices") }, item.buttons);
  }

  #enable(item, enabled, chosen) {
    item.buttons.forEach((button, index) => {
      button.disabled = !enabled;
      button.classList.toggle("chosen", !enabled && chosen !== undefined && item.choices[index].label === chosen);
    });
  }

  #sources(sources) {
    const one = (source) =>
      h(
        "li",
        {},
        h("div", { class: "cited", dir: "auto" }, isSafeLink(source.url) ? anchor(source.url, source.title) : source.title),
        source.text ? h("p", { dir: "auto" }, source.text) : null,
      );
    const summary = this.#language.say(sources.length > 1 ? "sources" : "source");
    return h(
      "details",
      { class: "sources" },
      h("summary", {}, icon("down"), h("span", {}, `${summary}:`), h("span", { class: "titles", dir: "auto" }, sources.map((source) => source.title).join(" · "))),
      h("ul", {}, sources.map(one)),
    );
  }

  #file(file) {
    const label = this.#language.say("download", { name: file.name });
    const button = h(
      "button",
      { type: "button", class: "file", "aria-label": label, onclick: () => this.#download(file) },
      icon("file"),
      h("span", { dir: "auto" }, file.name),
      h("small", {}, size(file.size, this.#language.tag)),
    );
    if (/^image\/(png|jpeg|gif|webp)$/.test(file.media_type)) this.#thumbnail(file, button);
    if (/^audio\//.test(file.media_type)) return this.#player(file, button);
    return button;
  }

  async #thumbnail(file, button) {
    try {
      file.blob ??= await this.#connection.file(file.id);
    } catch {
      return; // the name and the download stay
    }
    const image = h("img", { src: URL.createObjectURL(file.blob), alt: file.name, onload: () => URL.revokeObjectURL(image.src) });
    button.classList.add("image");
    button.replaceChildren(image);
  }

  /** A player, with the download in its place where the browser or the host page cannot play it. */
  #player(file, button) {
    const properties = { controls: true, controlslist: "nodownload noplaybackrate", preload: "metadata", "aria-label": file.name };
    const player = h("audio", { ...properties, onerror: () => player.replaceWith(button), onloadedmetadata: () => this.#measure(player) });
    const load = async () => {
      file.blob ??= await this.#connection.file(file.id);
      player.src = URL.createObjectURL(file.blob);
    };
    load().catch(() => player.replaceWith(button));
    return player;
  }

  /** Browsers record without saying how long it is. Whoever goes to the end finds out, and is sent back to the beginning. */
  #measure(player) {
    if (player.duration !== Infinity) return;
    player.addEventListener("seeked", () => (player.currentTime = 0), { once: true });
    player.currentTime = Number.MAX_SAFE_INTEGER;
  }

  async #download(file) {
    const blob = file.blob || (await this.#connection.file(file.id).catch(() => null));
    if (!blob) return;
    const url = URL.createObjectURL(blob);
    h("a", { href: url, download: file.name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  }

  #state(item, state, reason, canRetry) {
    const retry = () => {
      item.pending = true;
      this.#state(item, "sending");
      this.#layout();
      this.#onRetry(item);
    };
    item.node.dataset.state = state;
    item.status.replaceChildren(
      h("span", { class: state === "failed" ? "problem" : "", role: state === "failed" && "alert" }, reason || this.#language.say(state)),
    );
    if (canRetry) item.status.append(h("button", { type: "button", class: "retry", onclick: retry }, this.#language.say("retry")));
  }
}

function size(bytes, language) {
  const [unit, divisor] = bytes < 1e6 ? ["kilobyte", 1e3] : ["megabyte", 1e6];
  const format = new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: bytes < 1e6 ? 0 : 1 });
  return format.format(Math.max(bytes / divisor, bytes ? 1 / divisor : 0));
}
