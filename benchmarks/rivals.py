"""What others would use for the same, for comparison: none of it keeps a message before it is acknowledged."""

from aiohttp import ClientSession, TCPConnector, web


async def slack_bolt(platform: str) -> web.Application:
    """slack_bolt's AsyncApp with a listener for messages, at its best: with one HTTP session, where its default is one a call."""
    from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from benchmarks.paths import SLACK_SECRET, SLACK_TOKEN

    session = ClientSession(connector=TCPConnector(limit=0))
    client = AsyncWebClient(token=SLACK_TOKEN, base_url=f"{platform}/api/", session=session)
    bolt = AsyncApp(signing_secret=SLACK_SECRET, client=client, token=SLACK_TOKEN)

    @bolt.event("message")
    async def echo(event: dict[str, str], client: AsyncWebClient) -> None:
        await client.chat_postMessage(channel=event["channel"], text=f"echo {event['text']}")

    async def events(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await bolt.async_dispatch(await to_bolt_request(request)))

    app = web.Application()
    app.router.add_post("/slack/events", events)
    return app
