"""Who asks, and may they: keys, sessions, and what a stranger's page in a browser must not do.

Without keys the counter is open to this machine alone: the address is loopback, and so must the
`Host` of each request be, because a name that somebody else's DNS turns to 127.0.0.1 would
otherwise let any page read the counter.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from rpc.serving.errors import ApiError
from rpc.serving.events.events import Who
from rpc.serving.security.keys import Key, Keys, Role, digest

SAFE: Final = ("GET", "HEAD", "OPTIONS")
SESSION_COOKIE: Final = "session"
CSRF_COOKIE: Final = "csrf"
CSRF_HEADER: Final = "x-csrf-token"
OWN_SITES: Final = ("same-origin", "none")  # of Sec-Fetch-Site; `none` is typed by a person


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes:
        who: name and till, for events.
        role: what they may do.
    """

    who: Who
    role: Role

    @property
    def is_manager(self) -> bool:
        """Whether they may do everything."""
        return self.role == "manager"


class Doorkeeper:
    """Lets requests in.

    Args:
        keys: of the counter.
        till: the name of this counter, for those whose key is no till's.
        loopback: whether only this machine can reach the server.
    """

    def __init__(self, keys: Keys, till: str, *, loopback: bool) -> None:
        self._keys, self._till, self._loopback = keys, till, loopback

    def needs_key(self) -> bool:
        """Whether requests need a key."""
        return not self._loopback or self._keys.any()

    def caller(self, request: Request) -> Caller | None:
        """Who asks; None where they show no valid key.

        Raises:
            ApiError: a wrong key, or a request that another site's page may have sent.
        """
        shown = bearer(request)
        if shown is not None:
            key = self._keys.find(shown)
            if key is None:
                raise wrong_key()
            return self._of(key)
        if not self.needs_key():
            require_own_site(request)
            return Caller(Who("open", self._till), "manager")
        session = request.cookies.get(SESSION_COOKIE)
        found = None if session is None else self._keys.find_session(session)
        if found is None:
            return None
        key, csrf = found
        if request.method not in SAFE:
            token = request.headers.get(CSRF_HEADER, "")
            if not hmac.compare_digest(digest(token), csrf):
                raise ApiError(
                    403, "forbidden", f"{CSRF_HEADER}: expected the value of the cookie 'csrf'"
                )
            require_same_origin(request)
        return self._of(key)

    def let_in(self, request: Request, role: Role) -> Caller:
        """Who asks, if they may.

        Raises:
            ApiError: they show no valid key, or their role is not enough.
        """
        caller = self.caller(request)
        if caller is None:
            raise ApiError(
                401,
                "no_key",
                "a key is needed: make one with `rpc-checkout serve keys add`",
                {"WWW-Authenticate": "Bearer"},
            )
        if role == "manager" and not caller.is_manager:
            raise ApiError(403, "forbidden", "only a manager's key may do this")
        return caller

    def _of(self, key: Key) -> Caller:
        return Caller(Who(key.name, key.name if key.role == "till" else self._till), key.role)


def needs(role: Role) -> Callable[[Request], Caller]:
    """A dependency of endpoints: who asks, where their role is enough."""

    def let_in(request: Request) -> Caller:
        doorkeeper: Doorkeeper = request.app.state.counter.doorkeeper
        caller = doorkeeper.let_in(request, role)
        request.state.caller = caller
        return caller

    return let_in


def bearer(request: Request) -> str | None:
    """The key of the header `Authorization`; None where there is none."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.casefold() == "bearer" and key.strip() else None


def wrong_key() -> ApiError:
    """The answer to a key that is none of ours."""
    return ApiError(401, "wrong_key", "this key is not known, or was revoked")


def require_own_site(request: Request) -> None:
    """Refuse what a page of another site may have sent to an open counter.

    Raises:
        ApiError: another host than loopback, or an unsafe request from another origin.
    """
    host = request.headers.get("host", "")
    if not is_loopback(host_name(host)):
        raise ApiError(
            403, "forbidden", f"host {host!r:.60}: without keys this counter answers as localhost"
        )
    if request.method not in SAFE:
        require_same_origin(request)


def require_same_origin(request: Request) -> None:
    """Refuse an unsafe request that a page of another origin has sent.

    Raises:
        ApiError: it has.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    own = request.headers.get("host", "")
    strange = site is not None and site not in OWN_SITES
    if origin is not None:
        try:
            strange |= urlsplit(origin).netloc.casefold() != own.casefold()
        except ValueError:
            strange = True
    if strange:
        raise ApiError(403, "forbidden", "a page of another site may not change this counter")


def host_name(host: str) -> str:
    """The name of a `Host` header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, by its name or number."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
