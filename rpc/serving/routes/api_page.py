"""The interface on one page of plain HTML: no script, nothing from elsewhere."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any


def api_page(schema: Mapping[str, Any]) -> str:
    """A page of an OpenAPI description."""
    return "\n".join(_lines(schema)) + "\n"


def _lines(schema: Mapping[str, Any]) -> Iterator[str]:
    title = html.escape(str(schema["info"]["title"]))
    yield f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
    yield f"<h1>{title} {html.escape(str(schema['info']['version']))}</h1>"
    yield "<p>The same for programs: <a href=/openapi.json>/openapi.json</a> (OpenAPI 3.1).</p>"
    for path, methods in sorted(schema["paths"].items()):
        for method, told in methods.items():
            yield f"<h2><code>{method.upper()} {html.escape(path)}</code></h2>"
            yield f"<p>{html.escape(str(told.get('description', '')))}</p>"
            parameters = told.get("parameters", [])
            if parameters:
                yield "<ul>"
                yield from (f"<li>{_parameter(one)}</li>" for one in parameters)
                yield "</ul>"
            kinds = told.get("requestBody", {}).get("content", {})
            for kind, content in kinds.items():
                yield f"<p>Body: {_content(kind, content)}</p>"
            for status, answer in told.get("responses", {}).items():
                what = " or ".join(_content(*one) for one in answer.get("content", {}).items())
                what = what or html.escape(str(answer.get("description", "")))
                name = "errors" if status == "default" else html.escape(str(status))
                yield f"<p>Answer, {name}: {what}</p>"
    yield "<h1>Bodies and answers</h1>"
    for name, told in sorted(schema.get("components", {}).get("schemas", {}).items()):
        yield f"<h2 id='{html.escape(name)}'><code>{html.escape(name)}</code></h2>"
        yield f"<p>{html.escape(str(told.get('description', '')))}</p><ul>"
        for field, kind in told.get("properties", {}).items():
            need = "" if field in told.get("required", ()) else ", may be left out"
            text = html.escape(_schema_text(kind))
            about = html.escape(f": {kind['description']}" if "description" in kind else "")
            yield f"<li><code>{html.escape(field)}</code>: {text}{need}{about}</li>"
        yield "</ul>"


def _content(kind: str, content: Mapping[str, Any]) -> str:
    """A media type and its schema's name."""
    names = _schema_text(content.get("schema", {}))
    return f"<code>{html.escape(kind)}</code> {html.escape(names)}"


def _parameter(one: Mapping[str, Any]) -> str:
    need = "" if one.get("required") else ", may be left out"
    kind = html.escape(_schema_text(one.get("schema", {})))
    return f"<code>{html.escape(one['name'])}</code> ({html.escape(one['in'])}): {kind}{need}"


def _schema_text(kind: Mapping[str, Any]) -> str:
    """A JSON schema in a few words."""
    if "$ref" in kind:
        return str(kind["$ref"]).rpartition("/")[2]
    for joined in ("anyOf", "oneOf"):
        if joined in kind:
            return " or ".join(_schema_text(one) for one in kind[joined])
    if "const" in kind:
        return repr(kind["const"])
    if "enum" in kind:
        return " or ".join(map(repr, kind["enum"]))
    if kind.get("type") == "array":
        return f"list of {_schema_text(kind.get('items', {}))}"
    if kind.get("format") == "binary":
        return "bytes"
    return str(kind.get("type", "anything"))
