// Where the customer writes or speaks: a text box that grows, files with their progress, a microphone, and the button to send.

const TYPING_EVERY = 3000;
const MAX_FILES = 10;

class Composer {
  element;
  #language;
  #connection;
  #onSend;
  #box;
  #button;
  #clip;
  #mic;
  #recorder;
  #row;
  #picker;
  #count;
  #uploads = [];
  #chips;
  #typed = 0;

  constructor(language, connection, onSend) {
    this.#language = language;
    this.#connection = connection;
    this.#onSend = onSend;
    const say = (key) => language.say(key);
    this.#box = h("textarea", {
      rows: "1", placeholder: say("placeholder"), "aria-label": say("message"), enterkeyhint: "send", "aria-describedby": "count",
      oninput: () => this.#changed(), onkeydown: (event) => this.#key(event), onpaste: (event) => this.#paste(event),
    });
    this.#picker = h("input", { type: "file", multiple: true, class: "hidden", tabindex: "-1", "aria-hidden": "true", onchange: () => this.#picked() });
    this.#clip = h("button", { type: "button", class: "tool", "aria-label": say("attach"), title: say("attach"), hidden: true, onclick: () => this.#picker.click() }, icon("clip"));
    this.#mic = h("button", { type: "button", class: "tool", "aria-label": say("record"), title: say("record"), hidden: true, onclick: () => this.#record() }, icon("mic"));
    this.#recorder = new Recorder(language, () => (this.#row.hidden = true), (file) => this.#recorded(file), (reason) => this.#notRecorded(reason));
    this.#button = h("button", { type: "submit", class: "send", "aria-label": say("send"), title: say("send"), disabled: true }, icon("send"));
    this.#count = h("div", { class: "count", id: "count", role: "status" });
    this.#chips = h("ul", { class: "chips" });
    this.element = h(
      "form",
      { class: "composer", onsubmit: (event) => { event.preventDefault(); this.#submit(); } },
      this.#chips,
      (this.#row = h("div", { class: "row" }, this.#clip, this.#picker, this.#box, this.#mic, this.#button)),
      this.#recorder.element,
      this.#count,
    );
  }

  focus() {
    this.#box.focus({ preventScroll: true });
  }

  limit({ max_upload, upload_types }) {
    this.#clip.hidden = !max_upload;
    this.#mic.hidden = !max_upload || !Recorder.possible || !upload_types.some((type) => type.startsWith("audio/"));
    this.#picker.accept = upload_types.join(",");
  }

  addFiles(files) {
    for (const file of [...files].slice(0, MAX_FILES - this.#uploads.length)) this.#upload(file);
  }

  /** Nothing listens while nobody can see that it does. */
  hide() {
    this.#recorder.stop(false);
  }

  async #record() {
    this.#count.textContent = "";
    this.#mic.disabled = true; // the browser may ask for leave first
    await this.#recorder.start();
  }

  #notRecorded(reason) {
    this.#row.hidden = this.#mic.disabled = false;
    if (reason) this.#count.textContent = this.#language.say(reason);
    this.focus();
  }

  /** A voice note is a message of its own: what is being written stays where it is. */
  async #recorded(file) {
    this.#row.hidden = this.#mic.disabled = false;
    const upload = await this.#upload(file, () => this.#recorded(file));
    if (!upload.ticket) return;
    upload.chip.remove();
    this.#uploads = this.#uploads.filter((other) => other !== upload);
    this.#changed();
    this.#onSend({ text: "", files: [upload.ticket] }, [upload]);
    this.focus();
  }

  #key(event) {
    // Enter also picks a candidate of an input method (Chinese, Japanese, Korean); keyCode 229 is how Safari says so.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#submit();
  }

  #paste(event) {
    if (event.clipboardData?.files.length && !this.#clip.hidden) {
      event.preventDefault();
      this.addFiles(event.clipboardData.files);
    }
  }

  #picked() {
    this.addFiles(this.#picker.files);
    this.#picker.value = "";
    this.focus();
  }

  #changed() {
    this.#box.dir = this.#box.value ? "auto" : ""; // an empty box takes the direction of the interface
    this.#box.style.height = "auto";
    this.#box.style.height = `${Math.min(this.#box.scrollHeight, 144)}px`;
    const over = [...this.#box.value].length - this.#connection.limits.max_text;
    this.#count.textContent = over > 0 ? this.#language.say("tooLong", { n: over }) : "";
    const busy = this.#uploads.some((upload) => !upload.ticket);
    this.#button.disabled = over > 0 || busy || (!this.#box.value.trim() && !this.#uploads.length);
    if (this.#box.value && Date.now() - this.#typed > TYPING_EVERY) {
      this.#typed = Date.now();
      this.#connection.typing();
    }
  }

  #submit() {
    if (this.#button.disabled) return;
    const sent = this.#uploads;
    // Half an emoji, as cutting may leave it, is no text that can travel.
    const text = this.#box.value.trim().replace(/[\ud800-\udbff](?![\udc00-\udfff])/g, "").replace(/(^|[^\ud800-\udbff])[\udc00-\udfff]/g, "$1");
    this.#uploads = [];
    this.#chips.replaceChildren();
    this.#box.value = "";
    this.#changed();
    this.#typed = 0;
    this.#onSend({ text, files: sent.map((upload) => upload.ticket) }, sent);
    this.focus();
  }

  async #upload(file, again = () => this.#upload(file)) {
    const { max_upload: limit, upload_types: types } = this.#connection.limits;
    const bar = h("progress", { max: "1", value: "0", "aria-label": this.#language.say("uploading", { name: file.name }) });
    const abort = new AbortController();
    const chip = h("li", { class: "chip" });
    const upload = { ticket: null, file: null, chip };
    const remove = () => {
      abort.abort();
      this.#uploads = this.#uploads.filter((other) => other !== upload);
      chip.remove();
      this.#changed();
      this.focus();
    };
    const removeLabel = `${this.#language.say("remove")}: ${file.name}`;
    chip.append(
      icon("file"),
      h("span", { class: "name", dir: "auto" }, file.name),
      bar,
      h("button", { type: "button", class: "remove", "aria-label": removeLabel, onclick: remove }, icon("close")),
    );
    this.#chips.append(chip);
    const fail = (key) => {
      this.#uploads = this.#uploads.filter((other) => other !== upload);
      bar.remove();
      chip.classList.add("problem");
      chip.querySelector(".name").replaceWith(
        h("span", { class: "name", role: "alert" }, this.#language.say(key, { name: file.name, n: Math.floor(limit / 1048576) })),
      );
      if (key === "uploadFailed") {
        const retry = h("button", { type: "button", class: "retry", onclick: () => (chip.remove(), again()) }, this.#language.say("retry"));
        chip.lastElementChild.before(retry);
      }
      this.#changed();
      return upload;
    };
    if (file.size > limit) return fail("tooLarge");
    if (file.type && !types.includes(file.type)) return fail("wrongType");
    this.#uploads.push(upload);
    this.#changed();
    try {
      const answer = await this.#connection.upload(file, (part) => (bar.value = part), abort.signal);
      upload.ticket = answer.ticket;
      upload.file = { ...answer.file, blob: file };
      bar.remove();
    } catch (status) {
      if (!abort.signal.aborted) fail(status === 413 ? "tooLarge" : status === 415 ? "wrongType" : "uploadFailed");
    }
    this.#changed();
    return upload;
  }
}
