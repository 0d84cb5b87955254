// Making DOM nodes. Text only ever becomes text nodes: nothing here, or anywhere in the widget, writes HTML.

/** An element with properties (`class`, `on...` listeners, attributes) and children (nodes, text, or nothing). */
function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

const ICONS = {
  chat: "M12 3.5c-5 0-9 3.4-9 7.7 0 2.5 1.4 4.8 3.6 6.2l-.7 3.1 3.6-1.8c.8.2 1.6.3 2.5.3 5 0 9-3.5 9-7.8s-4-7.7-9-7.7z",
  close: "M6 6l12 12M18 6L6 18",
  send: "M5 12h13M12 5.5l6.5 6.5-6.5 6.5",
  clip: "M19.5 11.5l-7.6 7.6a4.8 4.8 0 0 1-6.8-6.8l8-8a3.2 3.2 0 0 1 4.5 4.5l-8 8a1.6 1.6 0 0 1-2.2-2.3l7-7",
  mic: "M12 3.5a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0v-5a3 3 0 0 0-3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3",
  down: "M6 9.5l6 6 6-6",
  file: "M13.5 3.5h-6a2 2 0 0 0-2 2v13a2 2 0 0 0 2 2h9a2 2 0 0 0 2-2v-10zM13.5 3.5v5h5",
  spark: "M12 4l1.9 5.6L19.5 12l-5.6 2.2L12 20l-1.9-5.8L4.5 12l5.6-2.4z",
};

function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false", class: `icon icon-${name}` })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Black or white, whichever can be read on the colour `#rrggbb` (relative luminance as in WCAG 2.2). */
function readableOn(color) {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const part = parseInt(color.slice(start, start + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) >= 4.5 ? "#ffffff" : "#111111";
}

/** A UUID also on pages without TLS, where `crypto.randomUUID` does not exist. */
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** What is kept over a reload, or in memory only where the browser forbids storage. */
class Kept {
  #memory = {};
  #storage = null;
  #prefix;

  constructor(kind, prefix) {
    this.#prefix = prefix;
    try {
      const storage = window[kind];
      storage.setItem(`${prefix}?`, "1");
      storage.removeItem(`${prefix}?`);
      this.#storage = storage;
    } catch {
      // Blocked by the browser's settings, or full.
    }
  }

  get(key) {
    const text = this.#storage ? this.#storage.getItem(this.#prefix + key) : this.#memory[key];
    try {
      return text ? JSON.parse(text) : null;
    } catch {
      return null;
    }
  }

  set(key, value) {
    this.#memory[key] = JSON.stringify(value);
    try {
      this.#storage?.setItem(this.#prefix + key, this.#memory[key]);
    } catch {
      this.#storage = null;
    }
  }
}
