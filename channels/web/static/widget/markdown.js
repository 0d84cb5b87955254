// Markdown to DOM nodes: paragraphs, line breaks, emphasis, code, links, lists, quotes, headings and tables.
// Only http, https and mailto become links; an image becomes a link to it. What is not understood stays text.

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^ {0,3}#{1,6}\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(\S.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)+\|?\s*$/;

const INLINE = new RegExp(
  [
    /\\([!-/:-@[-`{-~])/, // 1: an escaped character
    /(`+)([^`]|[^`][\s\S]*?[^`])\2(?!`)/, // 2, 3: code
    /!?\[([^[\]]*)\]\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+"[^"]*")?\s*\)/, // 4, 5: a link
    /\*\*(?=\S)([\s\S]*?\S)\*\*(?!\*)/, // 6: bold
    /__(?=\S)([\s\S]*?\S)__/, // 7: bold
    /\*(?=[^\s*])([^*]*[^\s*])\*/, // 8: italic
    /_(?=[^\s_])([^_]*[^\s_])_/, // 9: italic
    /~~(?=\S)([^~]*\S)~~/, // 10: struck out
    /<?((?:https?:\/\/|mailto:)[^\s<>"'`，。；！？、）】》]*[^\s<>"'`.,;:!?)\]*_，。；！？、）】》])>?/, // 11: a bare link
    /(\n)/, // 12: a line break
  ].map((part) => part.source).join("|"),
  "gi",
);

const WORD = /[\p{L}\p{N}_]/u;

function markdown(text) {
  return blocks(text.replace(/\r\n?/g, "\n").split("\n"), 0);
}

function blocks(lines, depth) {
  const out = [];
  let at = 0;
  const takeWhile = (test) => {
    const taken = [];
    while (at < lines.length && test(lines[at], taken)) taken.push(lines[at++]);
    return taken;
  };
  while (at < lines.length) {
    const line = lines[at];
    const fence = line.match(FENCE);
    if (!line.trim()) {
      at++;
    } else if (fence) {
      at++;
      const code = takeWhile((next) => !next.trim().startsWith(fence[1]));
      at++;
      out.push(h("pre", { tabindex: "0", dir: "ltr" }, h("code", {}, code.join("\n"))));
    } else if (HEADING.test(line)) {
      out.push(h("p", { class: "heading" }, h("strong", {}, inline(line.match(HEADING)[1]))));
      at++;
    } else if (RULE.test(line)) {
      out.push(h("hr"));
      at++;
    } else if (depth < 6 && QUOTE.test(line)) {
      out.push(h("blockquote", {}, blocks(takeWhile((next) => QUOTE.test(next)).map((next) => next.replace(QUOTE, "")), depth + 1)));
    } else if (depth < 6 && ITEM.test(line)) {
      out.push(list(takeList(lines, takeWhile), depth));
    } else if (line.includes("|") && TABLE_RULE.test(lines[at + 1] || "")) {
      out.push(table(takeWhile((next) => next.includes("|"))));
    } else {
      const taken = takeWhile((next, before) => next.trim() && (!before.length || !startsBlock(next)));
      out.push(h("p", {}, inline(taken.map((next) => next.trim()).join("\n"))));
    }
  }
  return out;
}

function startsBlock(line) {
  return [FENCE, HEADING, QUOTE, ITEM].some((block) => block.test(line));
}

/** The lines of one list: its items, what is indented below them, and blank lines in between. */
function takeList(lines, takeWhile) {
  const taken = takeWhile((next, before) => {
    const blankBefore = before.length && !before[before.length - 1].trim();
    return !next.trim() || ITEM.test(next) || /^\s{2,}/.test(next) || (!blankBefore && !startsBlock(next));
  });
  return taken;
}

function list(lines, depth) {
  const [, indent, marker] = lines[0].match(ITEM);
  const ordered = /\d/.test(marker);
  const items = [];
  for (const line of lines) {
    const item = line.match(ITEM);
    if (item && item[1].length < indent.length + 2) items.push([item[3]]);
    else items[items.length - 1].push(line.replace(/^\s{1,4}/, ""));
  }
  return h(
    ordered ? "ol" : "ul",
    { start: ordered && parseInt(marker) !== 1 && parseInt(marker) },
    items.map((item) => {
      const content = blocks(item, depth + 1);
      const [first, ...rest] = content;
      return h("li", {}, first?.tagName === "P" ? [...first.childNodes, ...rest] : content);
    }),
  );
}

function table(lines) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => inline(cell.trim()));
  const [head, , ...body] = lines;
  return h(
    "div",
    { class: "table", tabindex: "0" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, cells(head).map((cell) => h("th", { scope: "col" }, cell)))),
      h("tbody", {}, body.map((line) => h("tr", {}, cells(line).map((cell) => h("td", {}, cell))))),
    ),
  );
}

function inline(text, inLink = false) {
  const out = [];
  const pattern = new RegExp(INLINE);
  let plain = 0;
  for (let match; (match = pattern.exec(text)); ) {
    const node = inlineNode(match, text, inLink);
    if (node === null) {
      pattern.lastIndex = match.index + 1;
      continue;
    }
    out.push(text.slice(plain, match.index), node);
    plain = pattern.lastIndex;
  }
  out.push(text.slice(plain));
  return out.flat().filter((part) => part !== "");
}

function inlineNode(match, text, inLink) {
  const [whole, escaped, , code, label, target, bold, bold2, italic, italic2, struck, bare] = match;
  if (escaped !== undefined) return escaped;
  if (code !== undefined) return h("code", { dir: "ltr" }, code.replace(/^ (.*[^ ].*) $/, "$1"));
  if (label !== undefined) return link(target, inLink ? [label] : inline(label || target, true), whole, inLink);
  if (bold ?? bold2) return h("strong", {}, inline(bold ?? bold2, inLink));
  if (italic2 !== undefined && (WORD.test(text[match.index - 1] || "") || WORD.test(text[match.index + whole.length] || ""))) return null;
  if (italic ?? italic2) return h("em", {}, inline(italic ?? italic2, inLink));
  if (struck !== undefined) return h("s", {}, inline(struck, inLink));
  if (bare !== undefined) return link(bare, [bare.replace(/^mailto:/i, "")], whole, inLink);
  return h("br");
}

function link(target, content, whole, inLink) {
  return !inLink && isSafeLink(target) ? anchor(target, content) : whole;
}

function anchor(target, content) {
  return h("a", { href: target, target: "_blank", rel: "noopener noreferrer nofollow" }, content);
}

function isSafeLink(target) {
  return /^(?:https?:\/\/|mailto:)\S+$/i.test(target || "");
}
