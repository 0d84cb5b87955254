"""Access tokens of Google's, which last an hour, by the package google-auth. https://cloud.google.com/docs/authentication/application-default-credentials"""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.util import find_spec

from frontdesk.core.errors import ModelUnavailable
from frontdesk.plugins.models.remote.failures import Failure

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def installed() -> bool:
    try:
        return find_spec("google.auth") is not None and find_spec("requests") is not None
    except ModuleNotFoundError:
        return False


def tokens(name: str) -> Callable[[], Awaitable[str]]:
    """Gives the token of the machine's own credentials, a new one in time. Blocks, and may ask the machine's metadata server.

    Raises `Failure`, and so does what it returns.
    """
    import google.auth
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    def failure() -> Failure:
        what = f"{name} got no access token: see `gcloud auth application-default login`, or GOOGLE_APPLICATION_CREDENTIALS"
        return Failure(ModelUnavailable(what))

    try:
        credentials, _ = google.auth.default(scopes=[SCOPE])
    except GoogleAuthError:
        raise failure() from None
    renewing = asyncio.Lock()

    async def token() -> str:
        async with renewing:
            if not credentials.valid:
                try:
                    await asyncio.to_thread(credentials.refresh, Request())
                except GoogleAuthError:
                    raise failure() from None
            return str(credentials.token)

    return token
