"""Texts, pages and header fields that an extraction with a quadratic step or a catastrophic expression would never finish.

The tests give them to the code without the limits that bound its work, large enough that anything but linear time runs into
the time limit of a test, on the fastest machine; `python -m benchmarks.mail` says how long each takes with the limits.
"""

#: Repeated, they are a text.
UNITS = (
    *(">", ">\n", "On ", "On \n", "a", "a\n", "\n", ":\n", "From: a@b\n", "From: a@b\nTo: x\n\n", "wrote:\n", "____\n", "--\n"),
    *(
        "-- \n",
        "Regards,\n",
        "Sent from my iPhone\n",
        "> a\nb\n",
        " ",
        "@",
        "\u00a0\n",
        "\u200b",
        "在写道：",
        "\r",
        "- a\n",
        "[a](",
    ),
    *("在2024年1月1日写道：\n", "1." * 290 + ":\n", "<" * 590 + ":\n", "@" * 590 + ":\n", "On 1 " + "(<" * 290 + "wrote:\n"),
    *("-" * 150 + "x\n", "- " * 75 + "x\n", "confidential intended recipient " * 15 + "\n\n", "on 2024 i you " * 40 + "wrote:\n"),
    *("wrote " * 98 + ":\n", "x " * 50 + "gönderildi\n", "sent from " * 11 + "\n", "http" * 140 + "\n", "&gt;", "\x00"),
    *("your message to " * 30 + "\n", "0 " * 44 + "\n"),
)
#: Repeated, they are a page of HTML.
MARKUP = (
    *(
        "<div>",
        "<div>x</div>",
        "<blockquote type=cite>x</blockquote>y",
        "<div class=gmail_quote>x</div>",
        "<",
        "<a ",
        "<p>",
        "x<br>",
    ),
    *("<b><i><u>x</b>", "<div style='border-top:1'>From: a</div>", "<div id=appendonsend>", "<table><tr><td>", "&amp;"),
    *("<div class=gmail_quote><b>", "<p>some words here</p>\n", "<li><a href='http://x.example/'>x</a></li>"),
)
PAGES = {
    "deep": "<div>" * 200_000 + "x",
    "deep without ends": "<b>" * 100_000 + "x",
    "deep quotes": "<blockquote>" * 50_000 + "x",
    "deep tables": "<table><tr><td>" * 20_000 + "x",
    "deep lists": "<ul><li>" * 150 + "<li>x" * 190_000,
    "empty elements that are none": "<p/><div/>" * 100_000 + "x",
    "one tag with many attributes": "<p " + " ".join(f"a{n}=x" for n in range(100_000)) + ">x",
    "tags without ends": "<a" * 400_000 + " x",
    "many quotes": "<blockquote>" * 300 + "<p>x" * 180_000,
    "many paragraphs deep down": "<div>" * 499 + "<p>x" * 180_000,
    "many comments": "<!--" * 200_000 + "-->x",
    "many spaces": " " * 500_000 + "x" + "\n" * 400_000 + "x",
    "open styles": '<p style="display  :' + " " * 900_000 + "x",
}
#: Repeated, they are a header field.
FIELDS = ("(", '"', "<", "=?utf-8?q?", "=?a?b?c?= ", ";", ";a=", ';a="', ":", "a@b.cc ", '\\"', ",", "a,", "=?")
#: Repeated, they are the subject and the text of what may be a bounce or an absence notice.
NOTICES = (
    *(
        "a@b.c ",
        "out of the office until ",
        "5.1.1 ",
        "your message to ",
        "message-id: <",
        "please confirm ",
        "我正在",
        "\n",
        "?",
    ),
    *("i am away and ", "rcpt to:<a> 550 ", "thank you for your e-mail ", "wir haben ihre nachricht ", " "),
)


def repeated(unit: str, size: int = 1_000_000) -> str:
    """About `size` characters."""
    return unit * (size // len(unit))
