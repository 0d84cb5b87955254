// The connection to the server: a WebSocket, or long polling where no socket gets through. It comes back by itself, and
// what was not acknowledged is sent again under the same id, which the server knows.

const CLOSED_SESSION = 4401;
const CLOSED_REPLACED = 4008;
const ACK_WITHIN = 12000;
const POLL_SECONDS = 25;
const BACK_TO_SOCKET = 60000;
const RENEW_AFTER = 24 * 3600 * 1000;

/**
 * Calls `on.history(frame)`, `on.entry(entry)`, `on.typing(frame)`, `on.delivered(id, at)`, `on.failed(id, status)`,
 * `on.state("connecting" | "online" | "offline")`, `on.session(limits)` and `on.reset()` when the server does not know us any more.
 */
class Connection {
  limits = { max_text: 4000, max_upload: 0, upload_types: [], suggestions: [] };

  #base;
  #language;
  #on;
  #kept;
  #unsent;
  #token = null;
  #renewed = 0;
  #pending = new Map(); // id -> frame, in the order of writing
  #socket = null;
  #ready = false;
  #started = false;
  #polling = false;
  #abort = null;
  #attempts = 0;
  #timer = 0;
  #watch = 0;
  #last = null;

  constructor(base, language, on) {
    this.#base = base;
    this.#language = language;
    this.#on = on;
    this.#kept = new Kept("localStorage", `frontdesk ${base} `);
    this.#unsent = new Kept("sessionStorage", `frontdesk ${base} `);
    this.#token = this.#kept.get("token");
    for (const frame of this.#unsent.get("unsent") || []) this.#pending.set(frame.id, frame);
    addEventListener("online", () => this.#now());
    addEventListener("offline", () => this.#lost());
    document.addEventListener("visibilitychange", () => !document.hidden && this.#probe());
  }

  get known() {
    return this.#token !== null;
  }

  get unsent() {
    return [...this.#pending.values()];
  }

  start() {
    if (this.#started) return;
    this.#started = true;
    this.#connect();
  }

  send(frame) {
    this.#pending.set(frame.id, frame);
    this.#remember();
    this.start();
    if (this.#ready) this.#transmit(frame);
  }

  typing() {
    if (this.#ready && this.#socket) this.#socket.send('{"type":"typing"}');
  }

  async before(number) {
    if (this.#socket && this.#ready) this.#socket.send(JSON.stringify({ type: "history", before: number }));
    else this.#on.history({ ...(await this.#fetch(`messages?before=${number}`)), back: true });
  }

  /** Uploads with progress (0 to 1); resolves to `{file, ticket}`, rejects with the HTTP status. */
  upload(file, progress, signal) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", `${this.#base}files`);
      request.setRequestHeader("Authorization", `Bearer ${this.#token}`);
      request.responseType = "json";
      request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
      request.onload = () => (request.status === 201 ? resolve(request.response) : reject(request.status));
      request.onerror = request.onabort = () => reject(0);
      signal.addEventListener("abort", () => request.abort());
      const form = new FormData();
      form.append("file", file);
      request.send(form);
    });
  }

  async file(id) {
    const response = await fetch(`${this.#base}files/${id}`, { headers: this.#headers() });
    if (!response.ok) throw new Error(response.status);
    return response.blob();
  }

  // Connecting

  async #connect() {
    clearTimeout(this.#timer);
    this.#on.state("connecting");
    try {
      if (!this.#token || Date.now() - this.#renewed > RENEW_AFTER) await this.#openSession();
    } catch (error) {
      if (error.status === 401) this.#forget();
      return this.#lost();
    }
    if (this.#polling) this.#poll();
    else this.#openSocket();
  }

  /** A new session, or a fresh token for the one that we have. */
  async #openSession() {
    const { token, ...limits } = await this.#fetch(`sessions?language=${this.#language}`, { method: "POST" });
    this.#keep(token);
    this.#renewed = Date.now();
    this.limits = limits;
    this.#on.session(limits);
  }

  #openSocket() {
    const url = new URL("socket", this.#base);
    url.protocol = url.protocol.replace("http", "ws");
    let socket;
    try {
      socket = new WebSocket(url);
    } catch {
      this.#polling = true;
      return this.#lost();
    }
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", token: this.#token, after: this.#last }));
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      if (code === CLOSED_SESSION) this.#forget();
      else if (!this.#ready) this.#polling = true;
      if (code === CLOSED_REPLACED) this.#attempts = 6; // too many tabs: give the others time
      this.#lost();
    };
  }

  #receive(frame) {
    clearTimeout(this.#watch);
    if (frame.type === "history") this.#online(frame);
    else if (frame.type === "entry") this.#arrived(frame.entry);
    else if (frame.type === "typing") this.#on.typing(frame);
    else if (frame.type === "ack") this.#acknowledged(frame.id, frame.at);
    else if (frame.type === "sync") setTimeout(() => this.#socket?.send(JSON.stringify({ type: "history", after: this.#last })), Math.random() * 3000);
    else if (frame.type === "error" && frame.id) this.#refused(frame.id, frame.status, frame.retry_after);
    if (this.#pending.size && this.#ready) this.#expectAnswer();
  }

  #online(frame) {
    const first = !this.#ready;
    for (const entry of frame.entries) if (entry.kind === "message") this.#forgetPending(entry.id);
    this.#on.history(frame.back ? frame : { ...frame, fresh: this.#last === null, gap: this.#last !== null && frame.more });
    if (!frame.back && frame.last !== null) this.#last = frame.last;
    if (frame.typing) this.#on.typing(frame.typing);
    if (!first) return;
    this.#ready = true;
    this.#attempts = 0;
    this.#on.state("online");
    this.unsent.forEach((pending) => this.#transmit(pending));
  }

  #arrived(entry) {
    if (entry.kind === "message") this.#forgetPending(entry.id);
    this.#on.entry(entry);
  }

  #lost() {
    this.#ready = false;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#abort?.abort();
    clearTimeout(this.#watch);
    clearTimeout(this.#timer);
    if (!this.#started) return;
    const wait = Math.min(30000, 400 * 2 ** this.#attempts++) * (0.5 + Math.random() / 2);
    if (this.#attempts > 1 || !navigator.onLine) this.#on.state("offline");
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  #now() {
    if (this.#started && !this.#ready) {
      this.#attempts = 0;
      this.#connect();
    }
  }

  /** A laptop that wakes up may hold a dead socket. */
  #probe() {
    if (this.#socket && this.#ready) {
      this.#socket.send('{"type":"ping"}');
      this.#expectAnswer();
    } else this.#now();
  }

  #expectAnswer() {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#lost(), ACK_WITHIN);
  }

  // Long polling

  async #poll() {
    const abort = (this.#abort = new AbortController());
    const until = Date.now() + BACK_TO_SOCKET;
    try {
      while (!abort.signal.aborted && Date.now() < until) {
        const after = this.#last === null ? "" : `after=${this.#last}&`;
        this.#online(await this.#fetch(`messages?${after}wait=${this.#ready ? POLL_SECONDS : 0}`, { signal: abort.signal }));
      }
    } catch (error) {
      if (abort.signal.aborted) return;
      if (error.status === 401) this.#forget();
      this.#polling = false;
      return this.#lost();
    }
    if (abort.signal.aborted) return;
    this.#polling = this.#ready = false;
    this.#connect();
  }

  // Sending

  async #transmit(frame) {
    const { held, ...body } = frame;
    if (held) return;
    if (this.#socket) {
      this.#socket.send(JSON.stringify({ type: "message", ...body }));
      this.#expectAnswer();
      return;
    }
    frame.held = true;
    try {
      const { at } = await this.#fetch("messages", { method: "POST", json: { type: "message", ...body } });
      this.#acknowledged(frame.id, at);
    } catch (error) {
      frame.held = false;
      if (error.status) this.#refused(frame.id, error.status, error.retryAfter);
      else this.#lost();
    }
  }

  #acknowledged(id, at) {
    this.#forgetPending(id);
    this.#on.delivered(id, at);
  }

  #refused(id, status, retryAfter) {
    const frame = this.#pending.get(id);
    if (!frame) return;
    if (retryAfter) {
      setTimeout(() => this.#ready && this.#pending.has(id) && this.#transmit(frame), 1000 * retryAfter * (1 + Math.random() / 2));
      return;
    }
    this.#forgetPending(id);
    this.#on.failed(id, status);
  }

  #forgetPending(id) {
    if (this.#pending.delete(id)) this.#remember();
  }

  #remember() {
    this.#unsent.set("unsent", this.unsent.map(({ held, ...frame }) => frame));
  }

  // Session and requests

  #keep(token) {
    this.#token = token;
    this.#kept.set("token", token);
  }

  #forget() {
    this.#keep(null);
    this.#last = null;
    this.#attempts = 0;
    this.#on.reset();
  }

  #headers() {
    return this.#token ? { Authorization: `Bearer ${this.#token}` } : {};
  }

  async #fetch(path, { json, ...options } = {}) {
    const headers = this.#headers();
    if (json) headers["Content-Type"] = "application/json";
    const response = await fetch(this.#base + path, { credentials: "omit", headers, body: json && JSON.stringify(json), ...options });
    if (response.ok) return response.json();
    const retryAfter = Number(response.headers.get("Retry-After")) || (response.status >= 500 ? 2 : 0);
    throw Object.assign(new Error(response.statusText), { status: response.status, retryAfter });
  }
}
