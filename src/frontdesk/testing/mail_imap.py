"""The IMAP side of the mail server: IMAP4rev1 (RFC 3501) with IDLE, MOVE and UIDPLUS, and how it fails when it is told to."""

import asyncio
import base64
import binascii
import re
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from frontdesk.testing.mail_syntax import Bad, credentials, criterion, item, tokens

if TYPE_CHECKING:
    from frontdesk.testing.mail import Folder, MailAccount, StoredMail

CAPABILITIES = ("IMAP4rev1", "IDLE", "MOVE", "UIDPLUS", "NAMESPACE", "AUTH=PLAIN", "AUTH=XOAUTH2")
LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r?\n\Z")


class _No(Exception):
    """The command is understood and refused."""


class ImapServer:
    """Failures: `drop` cuts all connections. While `silent`, nobody who idles is told anything; while `frozen`, nobody is
    answered at all, and the connections stay open. `cut_after` so many bytes of the next mail the connection ends. `read_only`
    refuses all changes. `delay` is in seconds for each command.
    """

    def __init__(
        self, log_in: "Callable[[str, str], MailAccount | None]", *, tls: ssl.SSLContext | None = None, implicit_tls: bool = False
    ) -> None:
        self.log_in = log_in
        self.tls = tls
        self._implicit = implicit_tls
        self._sessions: set[_Session] = set()
        self.capabilities = list(CAPABILITIES)
        self.commands: list[str] = []
        self.connections = 0
        self.silent = False
        self.frozen = False
        self.cut_after: int | None = None
        self.read_only = False
        self.delay = 0.0
        self.port = 0

    async def start(self) -> None:
        context = self.tls if self._implicit else None
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=context, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        self.drop()

    def drop(self) -> None:
        for session in list(self._sessions):
            session.writer.transport.abort()

    @property
    def idling(self) -> int:
        """How many connections wait in IDLE."""
        return sum(session.idling for session in self._sessions)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        session = _Session(self, reader, writer)
        self._sessions.add(session)
        try:
            await session.run()
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            self._sessions.discard(session)
            session.leave()
            writer.close()


class _Session:
    def __init__(self, server: ImapServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.idling = False
        self._account: MailAccount | None = None
        self._folder: Folder | None = None
        self._seen: list[int] = []
        """The UIDs that the client knows, by sequence number."""

    async def run(self) -> None:
        await self._say("* OK [CAPABILITY " + " ".join(self._capabilities()) + "] ready")
        while line := await self._command_line():
            tag, _, rest = line.partition(b" ")
            words = tokens(rest)
            name = str(words.pop(0)).upper() if words else ""
            by_uid = name == "UID" and bool(words)
            if by_uid:
                name = str(words.pop(0)).upper()
            self.server.commands.append(f"UID {name}" if by_uid else name)
            if self.server.delay:
                await asyncio.sleep(self.server.delay)
            try:
                answer = await self._do(name, words, by_uid=by_uid)
            except _No as error:
                answer = f"NO {error}"
            except (Bad, ValueError, IndexError, KeyError):
                answer = "BAD cannot be understood"
            if self._folder is not None:
                await self._update(expunges=name not in ("FETCH", "STORE", "SEARCH") or by_uid)
            await self._say(f"{tag.decode('ascii', 'replace')} {answer}")
            if name == "STARTTLS" and answer.startswith("OK"):
                assert self.server.tls is not None
                await self.writer.start_tls(self.server.tls)
            if name == "LOGOUT":
                return

    def leave(self) -> None:
        if self._folder is not None:
            self._folder.watchers.discard(self._notify)
            self._folder = None

    async def _do(self, name: str, words: "list[str | list[str]]", *, by_uid: bool) -> str:
        plain: dict[str, Callable[[], Awaitable[str]]] = {
            "CAPABILITY": self._capability,
            "NOOP": self._nothing,
            "CHECK": self._nothing,
            "SUBSCRIBE": self._nothing,
            "UNSUBSCRIBE": self._nothing,
            "NAMESPACE": self._namespace,
            "LOGOUT": self._logout,
            "CLOSE": self._close,
            "IDLE": self._idle,
            "STARTTLS": self._starttls,
        }
        texts = [word for word in words if isinstance(word, str)]
        if name in plain:
            return await plain[name]()
        match name:
            case "LOGIN":
                return self._log_in(*texts)
            case "AUTHENTICATE":
                return await self._authenticate(*texts)
        if self._account is None:
            raise _No("log in first")
        match name:
            case "SELECT" | "EXAMINE":
                return await self._select(texts[0], read_only=name == "EXAMINE")
            case "LIST" | "LSUB":
                return await self._list(name, texts[1])
            case "STATUS":
                return await self._status(texts[0], words[1])
            case "CREATE":
                return self._create(texts[0])
            case "APPEND":
                flags = next((word for word in words[1:-1] if isinstance(word, list)), [])
                added = self._folder_named(texts[0]).add(texts[-1].encode("latin-1"), flags)
                return f"OK [APPENDUID {self._folder_named(texts[0]).uidvalidity} {added.uid}] appended"
        if self._folder is None:
            raise _No("select a folder first")
        match name:
            case "SEARCH":
                found = self._search(words)
                await self._say("* SEARCH" + "".join(f" {mail.uid if by_uid else number}" for number, mail in found))
            case "FETCH":
                await self._fetch(texts[0], words[1], by_uid=by_uid)
            case "STORE":
                await self._store(texts[0], texts[1], words[2:], by_uid=by_uid)
            case "COPY" | "MOVE":
                return await self._copy(texts[0], texts[1], by_uid=by_uid, move=name == "MOVE")
            case "EXPUNGE":
                self._expunge(texts[0] if by_uid else None)
            case _:
                raise Bad
        return f"OK {name} done"

    def _capabilities(self) -> Sequence[str]:
        secure = self.writer.get_extra_info("sslcontext") is not None
        return [*self.server.capabilities, *(["STARTTLS"] if self.server.tls is not None and not secure else [])]

    async def _capability(self) -> str:
        await self._say("* CAPABILITY " + " ".join(self._capabilities()))
        return "OK that is all"

    async def _nothing(self) -> str:
        return "OK done"

    async def _namespace(self) -> str:
        await self._say('* NAMESPACE (("" "/")) NIL NIL')
        return "OK done"

    async def _logout(self) -> str:
        await self._say("* BYE see you")
        return "OK done"

    async def _close(self) -> str:
        if self._folder is not None:
            self._expunge(None)
        self.leave()
        return "OK closed"

    async def _starttls(self) -> str:
        if self.server.tls is None:
            raise Bad
        return "OK begin"

    def _log_in(self, user: str, password: str) -> str:
        self._account = self.server.log_in(user, password)
        if self._account is None:
            raise _No("[AUTHENTICATIONFAILED] wrong user or password")
        return f"OK [CAPABILITY {' '.join(self._capabilities())}] welcome"

    async def _authenticate(self, method: str, initial: str = "") -> str:
        if method.upper() not in ("PLAIN", "XOAUTH2"):
            raise _No("unknown method")
        if not initial:
            await self._say("+ ")
            initial = (await self.reader.readline()).decode().strip()
        try:
            user, password = credentials(base64.b64decode(initial).decode())
            return self._log_in(user, password)
        except (binascii.Error, ValueError):
            raise Bad from None
        except _No:
            if method.upper() == "XOAUTH2":
                await self._say("+ eyJzdGF0dXMiOiI0MDEifQ==")
                await self.reader.readline()
            raise

    async def _select(self, name: str, *, read_only: bool) -> str:
        self.leave()
        folder = self._folder = self._folder_named(name)
        folder.watchers.add(self._notify)
        self._seen = [mail.uid for mail in folder.mails]
        read_only = read_only or self.server.read_only
        await self._say(
            r"* FLAGS (\Answered \Flagged \Deleted \Seen \Draft)",
            f"* OK [PERMANENTFLAGS ({'' if read_only else chr(92) + '*'})] flags",
            f"* {len(self._seen)} EXISTS",
            "* 0 RECENT",
            f"* OK [UIDVALIDITY {folder.uidvalidity}] valid",
            f"* OK [UIDNEXT {folder.uidnext}] next",
        )
        return f"OK [{'READ-ONLY' if read_only else 'READ-WRITE'}] selected"

    async def _list(self, name: str, pattern: str) -> str:
        wanted = re.compile(re.escape(pattern).replace(r"\*", ".*").replace("%", "[^/]*"))
        assert self._account is not None
        await self._say(*(f'* {name} () "/" "{folder}"' for folder in self._account.folders if wanted.fullmatch(folder)))
        return "OK done"

    async def _status(self, name: str, items: "str | list[str]") -> str:
        folder = self._folder_named(name)
        known = {
            "MESSAGES": len(folder.mails),
            "RECENT": 0,
            "UIDNEXT": folder.uidnext,
            "UIDVALIDITY": folder.uidvalidity,
            "UNSEEN": sum(r"\Seen" not in mail.flags for mail in folder.mails),
        }
        await self._say(f'* STATUS "{name}" ({" ".join(f"{item} {known[item.upper()]}" for item in items)})')
        return "OK done"

    def _create(self, name: str) -> str:
        from frontdesk.testing.mail import Folder

        assert self._account is not None
        if name in self._account.folders:
            raise _No("[ALREADYEXISTS] it is there")
        self._account.folders[name] = Folder(name, uidvalidity=len(self._account.folders) + 1)
        return "OK made"

    def _search(self, words: "list[str | list[str]]") -> "list[tuple[int, StoredMail]]":
        terms = [word for word in words if isinstance(word, str)]
        if terms and terms[0].upper() == "CHARSET":
            del terms[:2]
        found = list(self._numbered())
        while terms:
            wanted = criterion(terms, self._uids)
            found = [(number, mail) for number, mail in found if wanted(mail)]
        return found

    async def _fetch(self, chosen: str, items: "str | list[str]", *, by_uid: bool) -> None:
        wanted = [items] if isinstance(items, str) else items
        wanted = ["FLAGS", "INTERNALDATE", "RFC822.SIZE"] if wanted == ["ALL"] else wanted
        if by_uid and "UID" not in map(str.upper, wanted):
            wanted = ["UID", *wanted]
        uids = self._uids(chosen, by_uid)
        for number, mail in self._numbered():
            if mail.uid in uids:
                parts = b" ".join(item(mail, name, mark=not self.server.read_only) for name in wanted)
                answer = b"* %d FETCH (" % number + parts + b")\r\n"
                cut, self.server.cut_after = self.server.cut_after, None
                self.writer.write(answer[:cut])
                await self.writer.drain()
                if cut is not None:
                    raise ConnectionResetError

    async def _store(self, chosen: str, action: str, words: "list[str | list[str]]", *, by_uid: bool) -> None:
        self._writable()
        flags = {flag for word in words for flag in ([word] if isinstance(word, str) else word)}
        uids = self._uids(chosen, by_uid)
        for number, mail in self._numbered():
            if mail.uid in uids:
                match action[:1]:
                    case "+":
                        mail.flags |= flags
                    case "-":
                        mail.flags -= flags
                    case _:
                        mail.flags = set(flags)
                if not action.upper().endswith(".SILENT"):
                    await self._say(f"* {number} FETCH (UID {mail.uid} FLAGS ({' '.join(sorted(mail.flags))}))")

    async def _copy(self, chosen: str, name: str, *, by_uid: bool, move: bool) -> str:
        self._writable()
        target = self._folder_named(name)
        uids = self._uids(chosen, by_uid)
        copied = [(mail.uid, target.add(mail.data, mail.flags, mail.at).uid) for _, mail in self._numbered() if mail.uid in uids]
        sets = (",".join(str(pair[place]) for pair in copied) for place in (0, 1))
        code = f"[COPYUID {target.uidvalidity} {' '.join(sets)}]" if copied else ""
        if move:
            assert self._folder is not None
            await self._say(f"* OK {code} moved")
            self._folder.remove(uids)
        return f"OK {'' if move else code} done"

    def _expunge(self, chosen: str | None) -> None:
        self._writable()
        assert self._folder is not None
        allowed = None if chosen is None else self._uids(chosen, True)
        self._folder.remove(
            mail.uid for mail in self._folder.mails if r"\Deleted" in mail.flags and (allowed is None or mail.uid in allowed)
        )

    async def _idle(self) -> str:
        if "IDLE" not in self.server.capabilities:
            raise Bad
        await self._say("+ idling")
        self.idling = True
        try:
            self._notify()
            while (line := await self.reader.readline()).strip().upper() != b"DONE":
                if not line:
                    raise asyncio.IncompleteReadError(b"", None)
        finally:
            self.idling = False
        return "OK idled"

    def _notify(self) -> None:
        if self.idling and not self.server.silent and not self.server.frozen:
            self.writer.write(self._changes(expunges=True))

    async def _update(self, *, expunges: bool) -> None:
        if changes := self._changes(expunges=expunges):
            self.writer.write(changes)
            await self.writer.drain()

    def _changes(self, *, expunges: bool) -> bytes:
        """What the client does not know of the folder yet."""
        if self._folder is None:
            return b""
        lines = []
        there = [mail.uid for mail in self._folder.mails]
        if expunges:
            for number in range(len(self._seen), 0, -1):
                if self._seen[number - 1] not in there:
                    del self._seen[number - 1]
                    lines.append(f"* {number} EXPUNGE\r\n")
        if new := [uid for uid in there if uid not in self._seen]:
            self._seen += new
            lines.append(f"* {len(self._seen)} EXISTS\r\n")
        return "".join(lines).encode()

    def _numbered(self) -> "Iterator[tuple[int, StoredMail]]":
        assert self._folder is not None
        mails = {mail.uid: mail for mail in self._folder.mails}
        for number, uid in enumerate(self._seen, start=1):
            if uid in mails:
                yield number, mails[uid]

    def _uids(self, chosen: str, by_uid: bool) -> set[int]:
        """Of the mails in a set such as `1,3:5,7:*`."""
        numbers = {uid if by_uid else number: uid for number, uid in enumerate(self._seen, start=1)}
        highest = max(numbers, default=0)
        found: set[int] = set()
        for part in chosen.split(","):
            ends = [highest if end == "*" else int(end) for end in part.split(":")]
            found |= {uid for number, uid in numbers.items() if min(ends) <= number <= max(ends)}
        return found

    def _folder_named(self, name: str) -> "Folder":
        assert self._account is not None
        folder = self._account.folders.get("INBOX" if name.upper() == "INBOX" else name)
        if folder is None:
            raise _No("[TRYCREATE] there is no such folder")
        return folder

    def _writable(self) -> None:
        if self.server.read_only:
            raise _No("[READ-ONLY] nothing can be changed")

    async def _command_line(self) -> bytes:
        """A whole command, its literals as quoted strings; empty at the end of the connection."""
        line = await self.reader.readline()
        while found := LITERAL.search(line):
            if not found[2]:
                await self._say("+ go on")
            literal = await self.reader.readexactly(int(found[1]))
            escaped = literal.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            line = line[: found.start()] + b'"' + escaped + b'"' + await self.reader.readline()
        while self.server.frozen:  # noqa: ASYNC110 - for ever, mostly
            await asyncio.sleep(0.05)
        return line.strip()

    async def _say(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape"))
        await self.writer.drain()
