"use strict";

// What the server's pages cannot do alone: follow the live stream, keep drafts, shortcuts, local times.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const page = document.body.dataset;
const talk = () => $(".talk");

// Live: one tab holds the stream and tells the others, since a browser opens only six connections to a server over HTTP/1.1.

const tabs = "BroadcastChannel" in window ? new BroadcastChannel("desk") : null;
const stale = { inbox: false, thread: false };

function refresh(what) {
  if (document.hidden && what === "thread") {
    // Reading the transcript marks it as read: only when somebody can see it.
    stale.thread = true;
    return;
  }
  const element = $(what === "inbox" ? "#inbox" : "#recent");
  if (element) htmx.trigger(element, `desk:${what}`);
}

const soon = {};
function refreshSoon(what, delay) {
  soon[what] ??= setTimeout(() => {
    soon[what] = null;
    refresh(what);
  }, delay);
}

function heard({ name, data }) {
  if (name === "everything") {
    refreshSoon("inbox", 0);
    refreshSoon("thread", 0);
  } else if (name === "changed") {
    refreshSoon("inbox", 300);
    if (!talk() || !data.conversations.includes(talk().dataset.conversation)) return;
    $("#typing").textContent = "";
    refreshSoon("thread", 0);
  } else if (name === "typing") {
    showTyping(data);
  } else if (name === "state") {
    showState(data.on);
  }
}

function follow() {
  const source = new EventSource("/desk/events");
  const tell = (name, data) => {
    heard({ name, data });
    tabs?.postMessage({ name, data });
  };
  for (const name of ["everything", "changed", "typing"]) {
    source.addEventListener(name, (event) => tell(name, JSON.parse(event.data)));
  }
  source.onopen = () => tell("state", { on: true });
  source.onerror = () => {
    tell("state", { on: false });
    if (source.readyState === EventSource.CLOSED) {
      // The server refused. If the session has ended, this request leads to the log-in.
      refresh("inbox");
      setTimeout(follow, 5000);
    }
  };
}

function showState(on) {
  const sign = $("#live");
  sign.classList.toggle("off", !on);
  sign.textContent = on ? sign.dataset.on : sign.dataset.off;
}

if (tabs) tabs.onmessage = (event) => heard(event.data);
if (tabs && navigator.locks) navigator.locks.request("desk-live", () => new Promise(follow));
else follow();

// Another process may have changed something that this one's stream does not tell.
setInterval(() => refresh("inbox"), 30000);
document.addEventListener("visibilitychange", () => {
  if (document.hidden || !stale.thread) return;
  stale.thread = false;
  refresh("thread");
});

// Times

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const span = (value, unit) => new Intl.NumberFormat(undefined, { style: "unit", unit, unitDisplay: "narrow" }).format(value);

function since(at) {
  const minutes = Math.max(0, Math.floor((Date.now() - at) / 60000));
  if (minutes < 60) return span(minutes, "minute");
  if (minutes < 60 * 24) return span(Math.floor(minutes / 60), "hour");
  return span(Math.floor(minutes / 60 / 24), "day");
}

function localize(root = document) {
  for (const element of $$("time[datetime]", root)) {
    const at = new Date(element.dateTime);
    const today = at.toDateString() === new Date().toDateString();
    const form = element.dataset.form;
    let text;
    if (form === "since") {
      text = since(at);
      element.classList.toggle("long", Date.now() - at > 10 * 60000);
    } else if (form === "full") text = full.format(at);
    else if (form === "short") text = today ? clock.format(at) : day.format(at);
    else text = today ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
    if (element.textContent !== text) element.textContent = text;
    element.title = full.format(at);
  }
}
setInterval(localize, 20000);

// The transcript stays at its end if it was there

let atEnd = true;

function measureEnd() {
  const transcript = $("#transcript");
  if (transcript) atEnd = transcript.scrollHeight - transcript.scrollTop - transcript.clientHeight < 80;
}
document.addEventListener("scroll", (event) => event.target.id === "transcript" && measureEnd(), true);

function toEnd() {
  const transcript = $("#transcript");
  if (transcript) transcript.scrollTop = transcript.scrollHeight;
}
document.addEventListener("load", (event) => event.target.closest?.("#transcript") && atEnd && toEnd(), true);

// Typing

let typingTimer = null;
function showTyping({ conversation, author }) {
  const sign = $("#typing");
  if (!sign || talk()?.dataset.conversation !== conversation || author === `agent:${page.me}`) return;
  const name = author === "contact" ? talk().dataset.contact : author === "bot" ? page.bot : author.replace(/^agent:/, "");
  sign.textContent = page.typing.replace("{name}", () => name);
  clearTimeout(typingTimer);
  typingTimer = setTimeout(() => (sign.textContent = ""), 6000);
}

let toldTyping = 0;
function tellTyping() {
  const mode = $("#composer").dataset.mode;
  if (mode !== "reply" || Date.now() - toldTyping < 4000) return;
  toldTyping = Date.now();
  const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
  fetch(`${talk().dataset.path}/typing`, { method: "POST", headers }).catch(() => {});
}

// Composer: drafts live in this browser tab only, until they are sent or the agent logs out

const draftKey = () => `draft:${page.me}:${talk().dataset.conversation}`;

function keepDraft(key, text, mode) {
  if (text) sessionStorage.setItem(key, JSON.stringify({ text, mode }));
  else sessionStorage.removeItem(key);
}

const keptDraft = (key) => JSON.parse(sessionStorage.getItem(key) ?? "null");

function saveDraft() {
  const { mode } = $("#composer").dataset;
  // A correction stands in the draft's place for a while: the draft comes back.
  if (mode !== "correct") keepDraft(draftKey(), $("#text").value, mode);
}

function setMode(mode) {
  const composer = $("#composer");
  const said = mode === "correct" ? "reply" : mode;
  composer.dataset.mode = mode;
  $(`[name=mode][value=${said}]`, composer).checked = true;
  $("#mode-hint").textContent = $("#mode-hint").dataset[said];
  $("#send").textContent = $("#send").dataset[mode];
  $("#text").setAttribute("aria-label", $("#text").dataset[said]);
  $("#text").placeholder = $("#text").dataset[said];
  $("[name=file]", composer).disabled = mode !== "reply";
  $("#correcting").hidden = mode !== "correct";
  if (mode !== "correct") composer.elements.of.value = "";
}

function correct({ correct: of, text }) {
  saveDraft();
  setMode("correct");
  $("#composer").elements.of.value = of;
  $("#text").value = text;
  grow();
  $("#text").focus();
}

function leaveCorrection() {
  const draft = keptDraft(draftKey());
  $("#text").value = draft?.text ?? "";
  setMode(draft?.mode ?? "reply");
  grow();
}

function grow() {
  const text = $("#text");
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, window.innerHeight * 0.4)}px`;
}

function showFiles() {
  $("#files").textContent = [...$("[name=file]").files].map((file) => file.name).join(", ");
}

function openThread() {
  atEnd = true;
  if (!talk()) return;
  const draft = keptDraft(draftKey());
  if (draft) {
    $("#text").value = draft.text;
    setMode(draft.mode);
    grow();
  }
  toEnd();
  for (const link of $$("#rows a")) {
    if (link.dataset.id === talk().dataset.conversation) {
      link.setAttribute("aria-current", "true");
      link.closest(".row").classList.remove("unread");
    } else link.removeAttribute("aria-current");
  }
}

document.addEventListener("input", (event) => {
  if (event.target.id !== "text") return;
  saveDraft();
  grow();
  if (event.target.value) tellTyping();
});

document.addEventListener("change", (event) => {
  if (event.target.name === "mode") {
    setMode(event.target.value);
    saveDraft();
    $("#text").focus();
  } else if (event.target.name === "file") showFiles();
  else if (event.target.id === "keys-on") localStorage.setItem("desk-keys", event.target.checked ? "on" : "off");
});

/** Takes out what was sent, and leaves what the agent has written since, here or in another conversation. */
function sent({ key, text, of }) {
  const since = (words) => (words.startsWith(text) ? words.slice(text.length).trimStart() : words);
  if (!talk() || draftKey() !== key) {
    if (of) return;
    const draft = keptDraft(key);
    if (draft) keepDraft(key, since(draft.text), draft.mode);
    return;
  }
  const composer = $("#composer");
  if (of) {
    if (composer.elements.of.value === of) leaveCorrection();
    toEnd();
    return;
  }
  composer.elements.text.value = since(composer.elements.text.value);
  composer.elements.over.value = "";
  composer.elements.file.value = "";
  showFiles();
  saveDraft();
  if (!composer.elements.text.value) setMode("reply");
  grow();
  toEnd();
}

document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement.id === "composer") ctx.sent = { key: draftKey(), text: $("#text").value, of: $("#composer").elements.of.value };
});

// Messages of the page itself

function toast(text) {
  const note = document.createElement("p");
  note.textContent = text;
  $("#toasts").append(note);
  setTimeout(() => note.remove(), 8000);
}

function tellInDialog(text) {
  $("#dialog .problem")?.remove();
  const note = document.createElement("p");
  note.className = "problem";
  note.setAttribute("role", "alert");
  note.textContent = text;
  $("#dialog form").before(note);
}

document.addEventListener("htmx:error", (event) => {
  if (event.target.closest?.("#composer, .acts")) toast(page.offline);
});

document.addEventListener("htmx:response:error", (event) => {
  const { response, text, hx, sourceElement } = event.detail.ctx;
  if (sourceElement.closest("#dialog")) {
    tellInDialog(text.slice(0, 300));
    return;
  }
  // Parts that load by themselves try again by themselves.
  if (response.status !== 409 && !hx.redirect && !sourceElement.matches("#inbox, #recent")) toast(text.slice(0, 300));
});

document.addEventListener("htmx:finally:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.request.method !== "POST" || !ctx.response || ctx.response.status >= 400) return;
  if (ctx.sent) sent(ctx.sent);
  if (ctx.sourceElement.dataset.close !== undefined) $("#dialog").close();
  refreshSoon("thread", 0);
  refreshSoon("inbox", 0);
});

let belowTop = null;
document.addEventListener("htmx:before:swap", (event) => {
  // Browsers keep the place when something is put above it, but not at the very top.
  const transcript = $("#transcript");
  // The scroll event of a moment ago may not have come yet.
  measureEnd();
  belowTop = event.detail.ctx.target?.id === "older" ? transcript.scrollHeight - transcript.scrollTop : null;
});

document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = event.detail;
  localize();
  countInTitle();
  tellExpanded();
  if (belowTop !== null) {
    $("#transcript").scrollTop = $("#transcript").scrollHeight - belowTop;
    belowTop = null;
    return;
  }
  if (ctx.target?.id === "thread") {
    openThread();
    $("#thread").focus({ preventScroll: true });
  } else if (ctx.target?.id === "dialog" || ctx.target === "#dialog") {
    // A target of `hx-status` is the selector, not the element.
    if (!$("#dialog").open) $("#dialog").showModal();
    $("#dialog [autofocus]")?.focus();
  } else if (atEnd) toEnd();
});

function countInTitle() {
  const waiting = Number($("#inbox")?.dataset.waiting ?? 0);
  const title = document.title.replace(/^\(\d+\) /, "");
  document.title = waiting ? `(${waiting}) ${title}` : title;
}

// Clicks and keys

document.addEventListener("click", (event) => {
  const over = event.target.closest("[data-send-over]");
  const toggle = event.target.closest("[data-toggle]");
  const open = event.target.closest("[data-open]");
  const mistake = event.target.closest("[data-correct]:not(#send)");
  if (mistake) correct(mistake.dataset);
  else if (event.target.closest("[data-leave-correction]")) leaveCorrection();
  else if (over) {
    $("#composer").elements.over.value = over.dataset.sendOver;
    $("#dialog").close();
    $("#composer").requestSubmit();
  } else if (toggle) {
    document.body.classList.toggle("show-context");
    tellExpanded();
  } else if (open) $(`#${open.dataset.open}`).showModal();
});

function tellExpanded() {
  const shown = document.body.classList.contains("show-context");
  for (const button of $$("[data-toggle=context]")) button.setAttribute("aria-expanded", String(shown));
}

function write(mode) {
  if (!talk()) return;
  setMode(mode);
  $("#text").focus();
}

function step(by) {
  const links = $$("#rows a");
  if (!links.length) return;
  const focused = links.indexOf(document.activeElement);
  const from = focused >= 0 ? focused : links.findIndex((link) => link.hasAttribute("aria-current"));
  links[Math.min(links.length - 1, Math.max(0, from + by))].focus();
}

const keys = {
  j: () => step(1),
  k: () => step(-1),
  r: () => write("reply"),
  n: () => write("note"),
  "?": () => $("#keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  // While an input method composes (Chinese, Japanese), its keys are its own.
  if (event.isComposing) return;
  const typing = event.target.closest("input:not([type=radio], [type=checkbox], [type=file]), textarea, select");
  if (typing) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.id === "text") {
      event.preventDefault();
      $("#composer").requestSubmit();
    } else if (event.key === "Escape" && event.target.id === "text" && $("#composer").dataset.mode === "correct") leaveCorrection();
    else if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  if (event.key === "Escape" && document.body.classList.contains("show-context")) {
    document.body.classList.remove("show-context");
    tellExpanded();
  }
  if (event.key !== "?" && localStorage.getItem("desk-keys") === "off") return;
  const button = /^[a-z]$/.test(event.key) && $(`.head [data-key="${event.key}"]`);
  if (keys[event.key]) keys[event.key]();
  else if (/^[1-4]$/.test(event.key)) $$(".tabs a")[event.key - 1].click();
  else if (button) button.click();
  else return;
  event.preventDefault();
});

$("#keys-on").checked = localStorage.getItem("desk-keys") !== "off";
localize();
countInTitle();
openThread();

/** Browsers record without saying how long it is: then it is known by the transcript. */
const secondsOf = (player, wave) => (Number.isFinite(player.duration) ? player.duration : Number(wave.dataset.seconds));

// Recordings: the waveform shows how far the player is, and is where one points to.

document.addEventListener("timeupdate", ({ target }) => {
  const wave = target.closest(".player")?.querySelector(".wave");
  if (wave) wave.querySelector("rect").setAttribute("width", 300 * Math.min(1, target.currentTime / secondsOf(target, wave) || 0));
}, true);

document.addEventListener("click", (event) => {
  const wave = event.target.closest(".wave");
  if (!wave) return;
  const player = wave.parentElement.querySelector("audio, video");
  const box = wave.getBoundingClientRect();
  const seek = () => (player.currentTime = (secondsOf(player, wave) * (event.clientX - box.left)) / box.width);
  if (player.readyState) seek();
  else player.addEventListener("loadedmetadata", seek, { once: true });
  player.play();
});
