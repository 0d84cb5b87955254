"""A few emoji by Slack's names. Slack's clients write names where people typed characters."""

NAMES = {
    "😀": "grinning",
    "🙂": "slightly_smiling_face",
    "😢": "cry",
    "😡": "rage",
    "👍": "+1",
    "👎": "-1",
    "👀": "eyes",
    "🎉": "tada",
    "🙏": "pray",
    "❤️": "heart",
    "✅": "white_check_mark",
    "❌": "x",
    "⚠️": "warning",
    "🔒": "lock",
    "✏️": "pencil2",
    "🗑️": "wastebasket",
    "📎": "paperclip",
    "🆕": "new",
    "🙋": "raising_hand",
    "🤖": "robot_face",
    "⏳": "hourglass_flowing_sand",
}
CHARACTERS = {name: character for character, name in NAMES.items()} | {"thumbsup": "👍", "thumbsdown": "👎"}


def code_points(character: str) -> str:
    """As in the field `unicode` of a rich text emoji: `1f600`, several joined by "-"."""
    return "-".join(f"{ord(one):x}" for one in character)
