import pytest

from .conftest import PASSWORD, World, value_of

CHANGES = ["/desk/c/web%3A1/take", "/desk/c/web%3A1/send", "/desk/c/web%3A1/typing", "/desk/team/invite", "/desk/logout"]


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("token", [None, "", "x" * 43, "é"])
async def test_a_change_needs_the_token(world: World, path: str, token: str | None) -> None:
    ana = await world.agent()
    before = await world.conversation()
    headers = {} if token is None else {"X-CSRF-Token": token}
    answer = await ana.client.post(path, data={"text": "hello"}, headers=headers, allow_redirects=False)
    assert answer.status == 403
    assert await world.store.conversation("web:1") == before
    assert (await ana.get("/desk")).status == 200


async def test_another_sessions_token_is_wrong(world: World) -> None:
    ana, other = await world.agent(), await world.agent()
    await world.conversation()
    assert ana.csrf != other.csrf
    ana.csrf = other.csrf
    assert (await ana.post("/desk/c/web%3A1/take")).status == 403


async def test_a_token_in_the_address_or_in_a_file_form_does_not_count(world: World) -> None:
    ana = await world.agent()
    await world.conversation()
    assert (await ana.client.post(f"/desk/c/web%3A1/take?csrf={ana.csrf}")).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://desk.example"},
    ],
)
async def test_a_request_from_another_site_is_refused_even_with_the_token(world: World, headers: dict[str, str]) -> None:
    ana = await world.agent()
    await world.conversation()
    assert (await ana.post("/desk/c/web%3A1/take", headers=headers)).status == 403
    state = await world.store.conversation("web:1")
    assert state is not None
    assert state.owner == "bot"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://desk.example"}, {}])
async def test_the_desks_own_requests_pass(world: World, headers: dict[str, str]) -> None:
    ana = await world.agent()
    await world.conversation()
    assert (await ana.post("/desk/c/web%3A1/take", headers=headers)).status == 204


async def test_the_log_in_from_another_site_is_refused(world: World) -> None:
    await world.member("ana", "Ana")
    browser = world.browser()
    token = value_of(await (await browser.get("/desk/login")).text(), "csrf")
    fields = {"csrf": token, "name": "ana", "password": PASSWORD}
    refused = await browser.client.post("/desk/login", data=fields, headers={"Origin": "https://evil.example"})
    assert refused.status == 403


@pytest.mark.parametrize(
    "path", ["/desk", "/desk/login", "/desk/c/web%3A1", "/desk/nothing", "/desk/c/none", "/desk/static/desk.js"]
)
async def test_every_answer_carries_the_safe_headers(world: World, path: str) -> None:
    ana = await world.agent()
    await world.conversation()
    headers = (await ana.get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == ("public, max-age=31536000, immutable" if "static" in path else "no-store")


@pytest.mark.parametrize(
    "path", ["/desk", "/desk/c/web%3A1", "/desk/inbox", "/desk/team", "/desk/account", "/desk/c/web%3A1/files/1/x"]
)
async def test_nothing_is_shown_without_a_log_in(world: World, path: str) -> None:
    await world.member("ana", "Ana")
    await world.conversation()
    answer = await world.browser().get(path)
    assert answer.status == 303
    assert answer.headers["Location"].startswith("/desk/login?next=/desk")
    assert "Kim" not in await answer.text()


@pytest.mark.parametrize(
    "name", ["../adapter.py", "..%2fadapter.py", "%2e%2e/adapter.py", "vendor/../../settings.py", "vendor", "README.md"]
)
async def test_only_the_pages_own_files_are_static(world: World, name: str) -> None:
    answer = await world.browser().client.get(f"/desk/static/{name}", allow_redirects=False)
    assert answer.status in (303, 404)
    assert "class" not in await answer.text() or answer.status == 404


async def test_no_page_has_inline_script_or_style(world: World) -> None:
    ana = await world.agent()
    await world.conversation()
    for path in ("/desk", "/desk/c/web%3A1", "/desk/team", "/desk/account", "/desk/login"):
        html = await (await ana.client.get(path)).text()
        assert "<style" not in html
        assert "style=" not in html
        assert "onclick" not in html
        assert "hx-on" not in html
        assert html.count("<script") == html.count("<script src=")
