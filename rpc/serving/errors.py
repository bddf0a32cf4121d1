"""Errors of the interface: a status, a code that programs know, and one plain line for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

CODES: Final[Mapping[int, str]] = {
    400: "bad_request",
    401: "no_key",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "photo_too_large",
    415: "unsupported_type",
    422: "invalid",
    429: "too_many_requests",
    503: "busy",
}


class ApiError(Exception):
    """An answer that is no success.

    Args:
        status: of HTTP.
        code: in snake_case; docs/counter_api.md lists them.
        message: one line: what, where, what to do.
        headers: of the answer.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, " ".join(message.split())
        self.headers = dict(headers or {})

    def to_dict(self) -> dict[str, Any]:
        """The body of the answer."""
        return error_body(self.code, self.message)


def error_body(code: str, message: str) -> dict[str, Any]:
    """The body of every answer that is no success."""
    return {"error": {"code": code, "message": message}}


def not_found(what: str) -> ApiError:
    """An answer about something that is not there."""
    return ApiError(404, "not_found", what)
