// One script tag starts the widget:
//
//   <script src="https://chat.example/chat/widget.js" async data-title="Help" data-language="de" data-color="#1f6f5c"
//           data-position="left" data-open></script>
//
// All attributes may be left out. `window.Frontdesk` has open(), close() and ask(text); an element of the page with
// `data-frontdesk-ask="..."` asks that question when it is clicked.

const SCRIPT = document.currentScript;

function start(style) {
  if (window.Frontdesk) return;
  const { title, language: wanted, color = "", position = "end", open } = SCRIPT.dataset;
  const run = () => {
    const language = new Language(wanted);
    const chat = new Chat({
      base: new URL(".", SCRIPT.src).href,
      language,
      title: title || language.say("title"),
      style,
      color,
      position: ["left", "right"].includes(position) ? position : "end",
      open: open !== undefined && open !== "false", // until the customer closes it
    });
    window.Frontdesk = Object.freeze({ open: () => chat.open(), close: () => chat.close(), ask: (text) => chat.ask(text) });
    document.addEventListener("click", (event) => {
      const asked = event.target.closest?.("[data-frontdesk-ask]");
      if (asked) chat.ask(asked.dataset.frontdeskAsk);
    });
  };
  if (document.body) run();
  else document.addEventListener("DOMContentLoaded", run);
}
