"""Senders and subjects that are no person's: mail systems, and addresses that read no answers."""

import re

from frontdesk.channels.email.mime import Mail

_SEPARATORS = re.compile(r"[-_.]")
#: Local parts without their separators, in lower case.
_DAEMON = re.compile(
    r"(?:e?mail|mailer|smtp|delivery|bounce)?d[ae]?emon|(?:mailer|mail)?postmasters?|mdaemon|mailerd[ae]emon|"
    r"microsoftexchange[0-9a-f]{20,}|mail(?:delivery|system|router|gateway|server|robot|admin)\w{0,12}|mmdf|"
    r"(?:mail)?bounces?(?:d|back|handler)?|(?:auto)?(?:ndr|dsn|ndn)|(?:mail)?(?:non|un)deliver(?:y|able|ed)\w{0,8}|"
    r"deliver(?:y|ies)(?:fail(?:ed|ure)s?|status|notification|report|subsystem|system)\w{0,12}|qmailr?|returnedmail"
)
_DAEMON_TEXT = re.compile(r"(?<![\w.-])(?:mailer-daemon|postmaster)(?:\W{0,2}@|\W*$)")
_DAEMON_NAME = re.compile(
    r"mail deliver\w* (?:sub)?system|mail delivery (?:agent|service|system)|mailer[- ]d[ae]?emon|mail system|postmaster|"
    r"^system ?administrator$|microsoft outlook$|mail administrator|internet mail (?:delivery|service)|delivery (?:sub)?system|"
    r"mail router|administrateur système|administrador del sistema|mail deliverer|non[- ]?delivery|undeliver"
)
_NO_REPLY = re.compile(
    r"(?:\w{1,30}[-_.])?(?:no|non|do[-_.]?not|dont|ne|nao|nie|kein|keine|nicht)[-_.]?(?:reply|replies|antwort(?:en)?|repondre|"
    r"responder|rispondere|odpowiadaj|respond|response)(?:[-_.]\w{1,30})?"
    r"|unattended|autoreply|auto-reply|autoresponder|auto-?respond|notifications?|alerts?|bounces?|"
    r"system|robot|daemon|cron|root|nobody"
)


def is_daemon(mail: Mail) -> bool:
    """Whether the sender is a mail system."""
    for sender in mail.headers.addresses("from")[:1]:
        if is_daemon_address(sender.address) or _DAEMON_NAME.search(sender.name.casefold()):
            return True
    text = mail.headers.get("from").casefold()
    return _DAEMON_TEXT.search(text) is not None


def is_daemon_address(address: str) -> bool:
    local = address.partition("@")[0].partition("+")[0].partition("=")[0].lower()
    return _DAEMON.fullmatch(_SEPARATORS.sub("", local)) is not None


def is_unattended(address: str) -> bool:
    """An address that reads no answers."""
    return _NO_REPLY.fullmatch(address.partition("@")[0].partition("+")[0].lower()) is not None
