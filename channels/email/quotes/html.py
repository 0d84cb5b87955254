"""The quote and signature containers of mail programs, cut from HTML before it becomes text.

Only what a program marks beyond doubt is cut here. Attribution lines and header blocks without marks are left for the text.
"""

from collections.abc import Sequence

from selectolax.lexbor import LexborHTMLParser, LexborNode

from frontdesk.channels.email.html import is_hostile
from frontdesk.channels.email.quotes import attribution, headers
from frontdesk.channels.email.quotes.lines import clean

#: Longer HTML is left as it is.
_LONGEST = 4_000_000

_SIGNATURES = (
    ".gmail_signature", "[data-smartmail=gmail_signature]", ".moz-signature", "#Signature", "#x_Signature",
    "#AppleMailSignature", "#ms-outlook-mobile-signature", "#ymail_android_signature", "#composer_signature",
    ".protonmail_signature_block", ".tutanota_signature", "[name=messageSignatureSection]", ".k9mail-signature",
    "#divNeteaseMailCard", ".sh-signature", "#mobile-signature", ".yahoo-signature", "[data-marker=__SIG_PRE__]",
    "[data-marker=__SIG_POST__]", ".foxmail_signature", "#signature-container", ".zmail_signature", ".x_gmail_signature",
    "._Entity._EType_OWALinkPreview", "[id^=LPBorder]", "#OutlookSignature", ".ms-outlook-mobile-signature",
)  # fmt: skip
#: A container with the whole quote in it.
_QUOTES = (
    ".yahoo_quoted", "[id^=yahoo_quoted]", "#yahoo_quoted", ".moz-forward-container", ".protonmail_quote", ".tutanota_quote",
    "#OLK_SRC_BODY_SECTION", ".zmail_extra", "#blockquote_zmail", "includetail", "#isReplyContent",
    "[name=messageReplySection]", ".freshdesk_quote", ".front-blockquote", ".front_quote",
    ".WordSection1 > .OutlookMessageHeader", "#mail-editor-reference-message-container", "[name=quote]", "#qt",
    ".sh-quoted-content", "[data-marker=__QUOTED_TEXT__]", ".ntes-mailmaster-quote", "#ntes-pcmail-quote",
    ".xm_mail_oringinal_describe", ".qmQuote", ".lotus_notes_quote", "#oriMsgHtmlSeperator", ".mailmate-quote",
    ".elided-text", ".reply_mail_content", "#reply_quote", "#origbody", "#replySplit", ".mail-quote",
    ".js-helper.js-readmsg-msg", ".ReplyContent", ".history_mail", ".naver_reply_quote", "blockquote.gmail_quote",
    "blockquote[type=cite]", "blockquote.protonmail_quote", "blockquote.zmail_extra", "blockquote#iosymail",
    "blockquote[cite^=mid]", "blockquote[name=quote]",
)  # fmt: skip
_ATTRIBUTIONS = (
    ".gmail_attr",
    ".moz-cite-prefix",
    ".yahoo-attribution",
    ".protonmail_quote_attribution",
    ".OutlookMessageHeader",
)
_GMAIL = ".gmail_quote_container, .gmail_quote, .gmail_extra"
#: The quote begins with this and goes on to the end of the mail.
_STARTS = (
    "#divRplyFwdMsg", "#x_divRplyFwdMsg", "#appendonsend", "#x_appendonsend", "hr#stopSpelling", "hr#zwchr", "#reply-intro",
    "#origHeader", ".xm_mail_oringinal_describe", "#oriMsgHtmlSeperator", "#replySplit", "#yahoo_quoted_begin",
    "#DraftMailBodyQuote", "#mailru_quote_begin",
)  # fmt: skip
_BORDER = 'div[style*="border-top"], div[style*="BORDER-TOP"], p[style*="border-top"]'
#: Of so many nodes that are to go, the rules above them do not matter.
_MOST_SIBLINGS = 1000
#: More quotes beside each other were not made by Gmail.
_MOST_CONTAINERS = 1000


def without_quotes(html: str) -> str:
    """The HTML without quoted mails and signatures; what was given if nothing else would be left. Never raises.

    Where questions and answers alternate, the quotes stay, for the text to tell them apart by their marks.
    """
    if len(html) > _LONGEST or "<" not in html or is_hostile(html):
        return html
    tree = LexborHTMLParser(html)
    root = tree.body or tree.root
    if root is None:
        return html
    before = _shown(root)
    if not _alternates(root):
        changed = _cut_from_start(root)
        changed |= _cut_containers(root)
    else:
        changed = False
    changed |= _decompose(_matching(root, ", ".join(_SIGNATURES)))
    if not changed or (before and not _shown(root)):
        return html
    return tree.html or html


def _shown(root: LexborNode) -> bool:
    return bool(root.text(strip=True).strip("\u00a0\u200b\ufeff \n\r\t")) or root.css_first("img") is not None


def _matching(root: LexborNode, selector: str) -> list[LexborNode]:
    try:
        return root.css(selector)
    except (ValueError, RuntimeError):  # names that the parser took from broken markup
        return []


def _outermost(nodes: Sequence[LexborNode]) -> list[LexborNode]:
    """Those that lie in none of the others: what lies in a node is gone with it and must not be touched again."""
    doomed = {node.mem_id for node in nodes}
    free: set[int] = set()
    lost = set(doomed)
    found = []
    for node in nodes:
        path: list[int] = []
        at = node.parent
        while at is not None and at.mem_id not in free and at.mem_id not in lost:
            path.append(at.mem_id)
            at = at.parent
        if at is not None and at.mem_id in lost:
            lost.update(path)
        else:
            free.update(path)
            found.append(node)
    return found


def _decompose(nodes: Sequence[LexborNode]) -> bool:
    outermost = _outermost(nodes)
    for node in outermost:
        node.decompose()
    return bool(outermost)


def _rest(node: LexborNode, root: LexborNode) -> list[LexborNode]:
    """The node and everything after it in the document."""
    found = [node]
    at: LexborNode | None = node
    while at is not None and at.mem_id != root.mem_id:
        sibling = at.next
        while sibling is not None:
            found.append(sibling)
            sibling = sibling.next
        at = at.parent
    return found


def _cut_from_start(root: LexborNode) -> bool:
    start = next(iter(_matching(root, ", ".join(_STARTS))), None) or next(
        (node for node in _matching(root, _BORDER) if _has_header(node)), None
    )
    if start is None:
        return False
    doomed = _rest(start, root)
    above = start.prev
    while (
        above is not None and len(doomed) < _MOST_SIBLINGS and (above.tag == "hr" or (above.tag == "-text" and _is_blank(above)))
    ):
        doomed.append(above)
        above = above.prev
    for node in doomed:  # they lie beside each other
        node.decompose()
    return True


def _is_blank(node: LexborNode) -> bool:
    return not node.text(strip=True)


def _has_header(node: LexborNode) -> bool:
    lines = [line for line in node.text(separator="\n").split("\n") if clean(line)][:12]
    fields = {headers.role(line) or headers.role(f"{line}:") for line in lines} - {None, "other"}
    return "from" in fields and len(fields) >= 3


def _cut_containers(root: LexborNode) -> bool:
    changed = _decompose(_matching(root, ", ".join(_QUOTES)))
    old: list[LexborNode] = []
    containers = _outermost(_matching(root, _GMAIL))
    for node in containers if len(containers) <= _MOST_CONTAINERS else ():
        introductions = _matching(node, ", ".join(_ATTRIBUTIONS))
        forwarded = any(headers.is_separator(line) for inner in introductions for line in inner.text(separator="\n").split("\n"))
        if not forwarded:
            changed |= _decompose([inner for inner in introductions if inner.mem_id != node.mem_id])
        if forwarded or not _own_text(node):
            old.append(node)
    changed |= _decompose(old)
    return changed | _decompose(_matching(root, ", ".join(_ATTRIBUTIONS)))


def _own_text(node: LexborNode) -> bool:
    """Whether a quote container without its quotes still holds an answer, not only the line that introduced the quote."""
    text = " ".join(node.text(separator=" ").split())
    return bool(text) and not attribution.match(clean(text))


def _alternates(root: LexborNode) -> bool:
    """Whether at least two quotes have an answer below them."""
    quotes = {node.mem_id for node in _matching(root, "blockquote[type=cite], blockquote.gmail_quote, blockquote[cite^=mid]")}
    if len(quotes) < 2:
        return False
    introductions = {node.mem_id for node in _matching(root, ", ".join((*_ATTRIBUTIONS, *_SIGNATURES)))}
    answers, waiting = 0, False
    node: LexborNode | None = root.child
    while node is not None:
        skip = node.mem_id in quotes or node.mem_id in introductions
        if node.mem_id in quotes:
            waiting = True
        elif waiting and node.tag == "-text":
            text = " ".join((node.text(deep=False) or "").split())
            if text.strip("\u200b\ufeff") and not attribution.match(clean(text)):
                answers, waiting = answers + 1, False
        node = _following(node, root, skip=skip)
    return answers > 1


def _following(node: LexborNode, root: LexborNode, *, skip: bool) -> LexborNode | None:
    """The next node in document order; `skip` leaves out what is inside this one."""
    if not skip and node.child is not None:
        return node.child
    at: LexborNode | None = node
    while at is not None and at.mem_id != root.mem_id:
        if at.next is not None:
            return at.next
        at = at.parent
    return None
