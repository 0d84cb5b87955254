import asyncio
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from frontdesk.core.contacts import ALPHABET, Contacts, Identity, Person, Refused, normal, proved
from frontdesk.core.messages import Contact
from frontdesk.core.testing import a_message

TELEGRAM = Identity(channel="telegram", contact="17", name="Ann Lee", conversation="telegram:shop:17")
MAIL = Identity(channel="email", contact="ann@shop.example", name="A. Lee", conversation="email:help:t1")
SLACK = Identity(channel="slack", contact="T1:U1", name="ann", conversation="slack:T1:D1")
WEB = Identity(channel="web", contact="web:abc", conversation="web:abc")
STRANGER = Identity(channel="web", contact="web:evil", conversation="web:evil")


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2025, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def contacts(tmp_path: Path, clock: Clock) -> AsyncIterator[Contacts]:
    contacts = Contacts(tmp_path / "contacts.db", clock=clock)
    await contacts.open()
    yield contacts
    await contacts.close()


async def names(contacts: Contacts, identity: Identity) -> set[str]:
    person = await contacts.person(identity.channel, Contact(id=identity.contact, verified=True), "c")
    return {one.channel for one in person.identities} if person else set()


async def why(refused: "asyncio.Future[object] | object") -> str:
    with pytest.raises(Refused) as raised:
        await refused  # type: ignore[misc]
    return raised.value.why


async def test_a_code_links_where_it_is_written(contacts: Contacts, clock: Clock) -> None:
    code = await contacts.issue_code(TELEGRAM)
    assert await names(contacts, TELEGRAM) == set()
    offer = await contacts.offer(f"{code[:4].lower()}-{code[4:]} ", MAIL)
    assert offer.identity == TELEGRAM
    assert await names(contacts, MAIL) == set(), "nothing is linked before it is confirmed"
    person = await contacts.redeem(offer.id, MAIL)
    assert person == Person(identities=(MAIL, TELEGRAM))
    assert person.besides(MAIL) == (TELEGRAM,)
    assert await names(contacts, TELEGRAM) == await names(contacts, MAIL) == {"telegram", "email"}
    (link,) = await contacts.history("telegram", "17")
    assert (link.how, link.by, link.at, link.undone_at) == ("code", "email", clock.now, None)
    assert set(link.identities) == {TELEGRAM, MAIL}


async def test_links_outlive_the_process(tmp_path: Path, contacts: Contacts) -> None:
    await contacts.link(TELEGRAM, MAIL, by="agent:Ann")
    again = Contacts(tmp_path / "contacts.db")
    await again.open()
    assert await names(again, MAIL) == {"telegram", "email"}
    await again.close()


async def test_codes_are_neither_kept_nor_alike(tmp_path: Path, contacts: Contacts) -> None:
    identities = [Identity(channel="web", contact=f"web:{number}") for number in range(20)]
    codes = [await contacts.issue_code(identity) for identity in identities]
    assert len(set(codes)) == len(codes)
    assert all(len(code) == 8 and set(code) <= set(ALPHABET) for code in codes)
    assert not set(ALPHABET) & set("01ILOU")
    for file in tmp_path.iterdir():  # noqa: ASYNC240
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert not any(code.encode() in file.read_bytes() for code in codes)


@pytest.mark.parametrize("code", ["", "2", "22222222", "A" * 10_000, "\ud800", "' OR 1=1", "абвгдежз"])
async def test_what_is_no_code_links_nothing(contacts: Contacts, code: str) -> None:
    await contacts.issue_code(TELEGRAM)
    assert await why(contacts.offer(code, MAIL)) == "unknown"


def test_a_code_may_be_written_in_many_ways() -> None:
    assert normal(" abcd-efgh\n") == normal("ＡＢＣＤ ＥＦＧＨ") == "ABCDEFGH"


async def test_a_code_ends_after_a_while(contacts: Contacts, clock: Clock) -> None:
    code = await contacts.issue_code(TELEGRAM)
    clock.pass_(minutes=14)
    offer = await contacts.offer(code, MAIL)
    clock.pass_(minutes=2)
    assert await why(contacts.offer(code, MAIL)) == "unknown"
    assert await why(contacts.redeem(offer.id, MAIL)) == "unknown"


async def test_a_code_is_good_for_one(contacts: Contacts) -> None:
    code = await contacts.issue_code(TELEGRAM)
    offer = await contacts.offer(code, MAIL)
    assert await contacts.offer(code, MAIL) == offer, "the same turn may run again"
    assert await why(contacts.offer(code, STRANGER)) == "unknown"
    assert await why(contacts.redeem(offer.id, STRANGER)) == "unknown"
    await contacts.redeem(offer.id, MAIL)
    assert await why(contacts.offer(code, WEB)) == "unknown"


async def test_a_repeated_confirmation_changes_nothing(contacts: Contacts) -> None:
    offer = await contacts.offer(await contacts.issue_code(TELEGRAM), MAIL)
    assert await contacts.redeem(offer.id, MAIL) == await contacts.redeem(offer.id, MAIL)
    assert len(await contacts.history("email", MAIL.contact)) == 1
    await contacts.unlink(MAIL, by="email")
    assert await why(contacts.redeem(offer.id, MAIL)) == "unknown"
    assert await names(contacts, MAIL) == set()


async def test_a_new_code_replaces_the_one_before(contacts: Contacts) -> None:
    first, second = await contacts.issue_code(TELEGRAM), await contacts.issue_code(TELEGRAM)
    assert await why(contacts.offer(first, MAIL)) == "unknown"
    assert (await contacts.offer(second, MAIL)).identity == TELEGRAM


async def test_nobody_is_linked_with_themselves_or_twice(contacts: Contacts) -> None:
    assert await why(contacts.offer(await contacts.issue_code(TELEGRAM), TELEGRAM)) == "same"
    assert await why(contacts.link(TELEGRAM, TELEGRAM, by="agent:Ann")) == "same"
    await contacts.link(TELEGRAM, MAIL, by="agent:Ann")
    await contacts.link(MAIL, TELEGRAM, by="agent:Bob")
    assert len(await contacts.history("email", MAIL.contact)) == 1
    assert await why(contacts.offer(await contacts.issue_code(TELEGRAM), MAIL)) == "linked"


async def test_guesses_are_counted_for_each_identity(contacts: Contacts, clock: Clock) -> None:
    code = await contacts.issue_code(TELEGRAM)
    for number in range(5):
        clock.pass_(minutes=1)
        assert await why(contacts.offer(f"2222222{number}", STRANGER)) == "unknown"
    with pytest.raises(Refused) as refused:
        await contacts.offer(code, STRANGER)
    assert (refused.value.why, refused.value.minutes) == ("too_many", 57)
    assert (await contacts.offer(code, MAIL)).identity == TELEGRAM, "others may go on"
    clock.pass_(minutes=57)
    assert await why(contacts.offer("22222222", STRANGER)) == "unknown"


async def test_parallel_guesses_are_counted_too(contacts: Contacts) -> None:
    results = await asyncio.gather(
        *(contacts.offer(f"222222{number}", STRANGER) for number in range(10, 30)), return_exceptions=True
    )
    reasons = [result.why for result in results if isinstance(result, Refused)]
    assert sorted(reasons) == ["too_many"] * 15 + ["unknown"] * 5


async def test_codes_are_not_issued_without_end(contacts: Contacts) -> None:
    for _ in range(5):
        await contacts.issue_code(TELEGRAM)
    assert await why(contacts.issue_code(TELEGRAM)) == "too_many"


async def test_a_code_is_redeemed_once_by_many_at_once(contacts: Contacts) -> None:
    code = await contacts.issue_code(TELEGRAM)
    others = [Identity(channel="web", contact=f"web:{number}") for number in range(8)]
    results = await asyncio.gather(*(contacts.offer(code, other) for other in others), return_exceptions=True)
    assert sum(not isinstance(result, BaseException) for result in results) == 1


async def test_persons_are_merged_and_one_identity_leaves(contacts: Contacts, clock: Clock) -> None:
    await contacts.link(TELEGRAM, MAIL, by="agent:Ann")
    await contacts.link(SLACK, WEB, by="agent:Ann")
    person = await contacts.link(MAIL, SLACK, by="agent:Bob")
    assert {one.channel for one in person.identities} == {"telegram", "email", "slack", "web"}
    assert await names(contacts, WEB) == {"telegram", "email", "slack", "web"}
    clock.pass_(minutes=5)
    assert await contacts.unlink(TELEGRAM, by="agent:Eve") == 1
    assert await names(contacts, TELEGRAM) == set()
    assert await names(contacts, MAIL) == {"email", "slack", "web"}
    (link,) = await contacts.history("telegram", TELEGRAM.contact)
    assert (link.by, link.undone_by, link.undone_at) == ("agent:Ann", "agent:Eve", clock.now)


async def test_what_rested_on_an_undone_link_goes_with_it(contacts: Contacts) -> None:
    """The web session was only ever proved to be the same as the Slack user, who turned out to be somebody else."""
    await contacts.link(TELEGRAM, MAIL, by="agent:Ann")
    await contacts.link(SLACK, WEB, by="agent:Ann")
    await contacts.link(MAIL, SLACK, by="agent:Bob")
    await contacts.unlink(SLACK, by="agent:Ann")
    assert await names(contacts, TELEGRAM) == {"telegram", "email"}
    assert await names(contacts, WEB) == await names(contacts, SLACK) == set()


async def test_one_wrong_link_is_undone_alone(contacts: Contacts) -> None:
    await contacts.link(TELEGRAM, MAIL, by="agent:Ann")
    await contacts.link(SLACK, WEB, by="agent:Ann")
    await contacts.link(MAIL, SLACK, by="agent:Bob")
    (wrong,) = [link for link in await contacts.history("slack", SLACK.contact) if link.by == "agent:Bob"]
    await contacts.undo(wrong.id, by="agent:Ann")
    assert await names(contacts, TELEGRAM) == {"telegram", "email"}
    assert await names(contacts, WEB) == {"slack", "web"}
    with pytest.raises(KeyError):
        await contacts.undo(wrong.id, by="agent:Ann")


async def test_a_second_proof_holds_when_the_first_is_undone(contacts: Contacts) -> None:
    await contacts.link(TELEGRAM, MAIL, by="agent:Ann")
    await contacts.link(MAIL, SLACK, by="agent:Ann")
    await contacts.link(SLACK, TELEGRAM, by="agent:Ann")
    await contacts.unlink(MAIL, by="email")
    assert await names(contacts, SLACK) == {"telegram", "slack"}


async def test_what_was_undone_can_be_linked_again(contacts: Contacts) -> None:
    for _ in range(2):
        await contacts.link(TELEGRAM, MAIL, by="agent:Ann")
        assert await contacts.unlink(MAIL, by="agent:Ann") == 1
    assert await contacts.unlink(MAIL, by="agent:Ann") == 0
    assert [bool(link.undone_at) for link in await contacts.history("email", MAIL.contact)] == [True, True]


async def test_an_unverified_contact_has_no_person(contacts: Contacts) -> None:
    await contacts.link(TELEGRAM, MAIL, by="agent:Ann")
    assert await contacts.person("email", Contact(id=MAIL.contact, verified=False), "email:t1") is None
    assert await contacts.person("email", Contact(id=MAIL.contact, verified=True), "email:t1") is not None


async def test_a_session_is_proved_by_itself(contacts: Contacts) -> None:
    await contacts.link(TELEGRAM, WEB, by="agent:Ann")
    assert await contacts.person("web", Contact(id="web:abc"), "web:abc") is not None
    assert await contacts.person("web", Contact(id="web:abc"), "web:other") is None


def test_messages_prove_an_identity_only_if_all_are_verified_and_of_one() -> None:
    def message(contact: Contact) -> object:
        return msgspec.structs.replace(a_message(), contact=contact)

    ann, forged, bob = (
        message(Contact(id="a", name="Ann", verified=True)),
        message(Contact(id="a", name="Ann")),
        message(Contact(id="b", verified=True)),
    )
    assert proved([ann, ann]) == Identity(channel="test", contact="a", name="Ann", conversation="test:1")  # type: ignore[list-item]
    assert proved([a_message()]) == Identity(channel="test", contact="test:1", conversation="test:1")
    for messages in ([], [forged], [ann, forged], [forged, ann], [ann, bob]):
        assert proved(messages) is None  # type: ignore[arg-type]
