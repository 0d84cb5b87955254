"""Real mail servers, run by the tests on loopback with everything they write in a folder of their own: Dovecot and Exim."""

import asyncio
import getpass
import grp
import imaplib
import os
import pwd
import shutil
import signal
import smtplib
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from frontdesk.core.testing.platform import free_port

PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
ROOT = os.getuid() == 0

DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 0
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={folder}/home/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""

EXIM = """
primary_hostname = mx.shop.example
spool_directory = {folder}/spool
log_file_path = {folder}/spool/%slog
pid_file_path = {folder}/spool/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {key}
exim_user = {internal}
exim_group = {internal_group}
never_users =
keep_environment =
smtp_accept_max = 200
smtp_accept_queue_per_connection = 0
deliver_drop_privilege
acl_smtp_rcpt = check_rcpt
begin acl
check_rcpt:
  accept local_parts = full
  defer  local_parts = later
         message = 4.7.1 try again later
  require verify = recipient
  accept authenticated = *
  accept hosts = 127.0.0.1
begin routers
full:
  driver = redirect
  allow_fail
  local_parts = full
  data = :fail: 5.2.2 the mailbox is full
here:
  driver = accept
  local_part_suffix = +*
  local_part_suffix_optional
  address_data = ${{lookup{{$local_part@$domain}}lsearch{{{folder}/addresses}}{{$value}}fail}}
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = {folder}/mail/$address_data
  create_directory
  return_path_add
  delivery_date_add
  user = {owner}
  group = {group}
begin retry
* * F,1m,1s
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{$auth3}}{{${{lookup{{$auth2}}lsearch{{{folder}/passwords}}}}}}}}
  server_set_id = $auth2
"""


def program(name: str, package: str) -> str:
    """Where it is installed. Where it is not, the test is skipped; but on CI, which installs it, it fails."""
    found = shutil.which(name, path=PATH)
    if found is None:
        reason = f"{name} is not installed (Debian: apt install {package})"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@dataclass
class RealMail:
    """Dovecot and, if `smtp`, Exim, over the same mailboxes. `folder` must have a short name: it holds sockets."""

    folder: Path
    passwords: Mapping[str, str]
    smtp: bool = True
    imap_port: int = 0
    imaps_port: int = 0
    smtp_port: int = 0
    certificate: Path = field(init=False)
    _running: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        dovecot = program("dovecot", "dovecot-imapd")
        exim = program("exim4", "exim4-daemon-light") if self.smtp else ""
        self.imap_port, self.imaps_port, self.smtp_port = (free_port() for _ in range(3))
        self._prepare()
        try:
            await self._start(dovecot, "-F", "-c", str(self.folder / "dovecot.conf"))
            await _listening(self.imap_port)
            if exim:
                await self._start(exim, "-bdf", "-q5s", "-C", str(self.folder / "exim.conf"))
                await _listening(self.smtp_port)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._running:
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                os.killpg(process.pid, signal.SIGKILL)
        self._running.clear()

    async def restart_imap(self, before: Callable[[], None] = lambda: None) -> None:
        """Ends all sessions, as an upgrade does, and does something `before` it starts again."""
        process = self._running.pop(0)
        os.killpg(process.pid, signal.SIGTERM)
        await process.wait()
        before()
        await self._start(program("dovecot", ""), "-F", "-c", str(self.folder / "dovecot.conf"))
        self._running.insert(0, self._running.pop())
        await _listening(self.imap_port)

    def append(self, address: str, data: bytes, folder: str = "INBOX") -> None:
        """Puts a mail into a folder, by IMAP."""
        with closing(self.client(address)) as client:
            status, answer = client.append(folder, "", "", data)
            assert status == "OK", answer

    def submit(self, sender: str, to: str, mail: str) -> None:
        """Sends a mail by SMTP, as a stranger does."""
        with smtplib.SMTP("127.0.0.1", self.smtp_port) as client:
            client.sendmail(sender, [to], f"From: {sender}\nTo: {to}\n{mail}")

    def mails(self, address: str, folder: str = "INBOX", criterion: str = "ALL") -> list[bytes]:
        """What lies in a folder, unchanged by being looked at."""
        with closing(self.client(address)) as client:
            if client.select(folder, readonly=True)[0] != "OK":
                return []
            numbers = client.search(None, criterion)[1][0].split()
            return [client.fetch(number.decode(), "(BODY.PEEK[])")[1][0][1] for number in numbers]  # type: ignore[index, misc]

    def client(self, address: str) -> "_Client":
        client = _Client("127.0.0.1", self.imap_port)
        client.login(address, self.passwords[address])
        return client

    def forget_uids(self, address: str) -> None:
        """Deletes what Dovecot knows of a mailbox, so that UIDs and UIDVALIDITY are made anew."""
        for path in (self.folder / "mail" / address).glob("dovecot*"):
            path.unlink()

    async def _start(self, *command: str) -> None:
        process = await asyncio.create_subprocess_exec(*command, start_new_session=True)
        self._running.append(process)

    def _prepare(self) -> None:
        me = getpass.getuser()
        group = grp.getgrgid(os.getgid()).gr_name
        # Exim gives up root's rights where it is told of another configuration file, so all mail is its user's.
        mail = ("Debian-exim", "Debian-exim") if self.smtp else ("nobody", grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name)
        owner = mail if ROOT else (me, group)
        self.certificate, key = self.folder / "certificate.pem", self.folder / "key.pem"
        make_certificate(self.certificate, key)
        values = {
            "folder": self.folder,
            "certificate": self.certificate,
            "key": key,
            "ssl": "yes",
            "port": self.imap_port,
            "tls_port": self.imaps_port,
            "owner": owner[0],
            "group": owner[1],
            "login": "dovenull" if ROOT else me,
        }
        for name in ("run", "state", "mail", "home", "spool"):
            (self.folder / name).mkdir()
        (self.folder / "users").write_text("".join(f"{user}:{{PLAIN}}{word}\n" for user, word in self.passwords.items()))
        (self.folder / "addresses").write_text("".join(f"{user}: {user}\n" for user in self.passwords))
        (self.folder / "passwords").write_text("".join(f"{user}: {word}\n" for user, word in self.passwords.items()))
        internal = {"internal": "dovecot" if ROOT else me, "internal_group": "dovecot" if ROOT else group}
        (self.folder / "dovecot.conf").write_text(DOVECOT.format(**values, **internal))
        internal = {"internal": "Debian-exim" if ROOT else me, "internal_group": "Debian-exim" if ROOT else group}
        values["port"] = self.smtp_port
        (self.folder / "exim.conf").write_text(EXIM.format(**values, **internal))
        if ROOT:
            self.folder.chmod(0o755)
            key.chmod(0o644)
            for name in ("mail", "home"):
                shutil.chown(self.folder / name, *owner)
            if self.smtp:
                shutil.chown(self.folder / "spool", *owner)


class _Client(imaplib.IMAP4):
    def close(self) -> None:  # type: ignore[override]
        """Ends the session, also where no folder is selected."""
        with suppress(imaplib.IMAP4.error, OSError):
            self.logout()


def make_certificate(certificate: Path, key: Path) -> None:
    """A self-signed one for localhost and 127.0.0.1."""
    command = [
        program("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-keyout", str(key), "-out", str(certificate),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)


async def _listening(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
