// A voice note: from the press of the microphone to a file, with a clock and the loudness while it runs.

const RECORDING_TYPES = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4"];
const MAX_RECORDING = 5 * 60 * 1000;

class Recorder {
  element;
  #language;
  #onBegin;
  #onFile;
  #onEnd;
  #recorder = null;
  #stream = null;
  #sound = null;
  #wanted = false;
  #began = 0;
  #ticking = 0;
  #clock;
  #level;
  #send;

  /** `onBegin` is called once the microphone may be used. `onFile` gets the finished recording, `onEnd` the reason why there is
   * none (`noMicrophone`), or nothing. */
  constructor(language, onBegin, onFile, onEnd) {
    this.#language = language;
    this.#onBegin = onBegin;
    this.#onFile = onFile;
    this.#onEnd = onEnd;
    const say = (key) => language.say(key);
    this.#clock = h("span", { class: "clock", role: "timer" });
    this.#level = h("span", { class: "level", "aria-hidden": "true" }, h("i"));
    this.#send = h("button", { type: "button", class: "send", "aria-label": say("send"), title: say("send"), onclick: () => this.stop(true) }, icon("send"));
    this.element = h(
      "div",
      { class: "row recording", role: "group", "aria-label": say("recording"), hidden: true, onkeydown: (event) => this.#key(event) },
      h("button", { type: "button", class: "tool", "aria-label": say("remove"), title: say("remove"), onclick: () => this.stop(false) }, icon("close")),
      h("i", { class: "light", "aria-hidden": "true" }), this.#clock, this.#level, this.#send,
    );
  }

  static get possible() {
    return Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);
  }

  async start() {
    this.#wanted = true; // also if the microphone is unplugged: what was said is not lost
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true } });
      const mimeType = RECORDING_TYPES.find((type) => MediaRecorder.isTypeSupported(type));
      this.#recorder = new MediaRecorder(this.#stream, { mimeType, audioBitsPerSecond: 32000 });
    } catch {
      this.#release();
      return this.#onEnd("noMicrophone");
    }
    if (!this.#wanted) {
      this.#release();
      return this.#onEnd();
    }
    const pieces = [];
    this.#recorder.ondataavailable = (event) => event.data.size && pieces.push(event.data);
    this.#recorder.onstop = () => this.#finish(pieces);
    this.#recorder.start(1000);
    this.#began = Date.now();
    this.#listen();
    this.#onBegin();
    this.element.hidden = false;
    this.#tick();
    this.#ticking = setInterval(() => this.#tick(), 100);
    this.#send.focus();
  }

  stop(wanted) {
    this.#wanted = wanted;
    if (this.#recorder?.state === "recording") this.#recorder.stop();
  }

  #key(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.stop(false);
  }

  #finish(pieces) {
    const type = this.#recorder.mimeType.split(";")[0];
    this.#release();
    if (!this.#wanted || !pieces.length) return this.#onEnd();
    this.#onFile(new File(pieces, `${this.#language.say("voiceNote")}.${type.split("/")[1].replace("mp4", "m4a")}`, { type }));
  }

  #release() {
    clearInterval(this.#ticking);
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#sound?.close();
    this.#stream = this.#sound = null;
    this.element.hidden = true;
  }

  /** The loudness is only shown; where it cannot be measured, the clock is enough. */
  #listen() {
    try {
      this.#sound = new AudioContext();
      const analyser = new AnalyserNode(this.#sound, { fftSize: 512 });
      this.#sound.createMediaStreamSource(this.#stream).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      this.#level.measure = () => {
        analyser.getFloatTimeDomainData(samples);
        return Math.min(1, 3 * Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length));
      };
    } catch {
      this.#level.measure = () => 0;
    }
  }

  #tick() {
    const passed = Date.now() - this.#began;
    const seconds = Math.floor(passed / 1000);
    this.#clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    this.#level.firstChild.style.inlineSize = `${Math.round(100 * this.#level.measure())}%`;
    if (passed > MAX_RECORDING) this.stop(true);
  }
}
