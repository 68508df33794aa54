"""A published OpenAPI document as a judge of requests, answers and webhook bodies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

NAME = "urn:contract"


class Contract:
    """One document. `judge` and `judge_webhook` name every way in which something breaks it."""

    def __init__(self, path: Path) -> None:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["openapi"].startswith("3.0"):
            _use_null_types(document)
        self.document: dict[str, Any] = document
        self._registry = Registry().with_resource(NAME, DRAFT202012.create_resource(document))
        self._paths = [(_pattern(template), template) for template in sorted(document.get("paths", {}), key=_wildness)]

    def judge(self, exchange: tuple[httpx.Request, httpx.Response], *, root: str = "") -> list[str]:
        """What is wrong with one request and its answer."""
        request, answer = exchange
        path = request.url.raw_path.decode().partition("?")[0].removeprefix(root)
        found = self._operation(request.method, path)
        where = f"{request.method} {path}"
        if found is None:
            return [f"{where}: there is no such operation"]
        pointer, operation, names = found
        wrong = [f"{where}: {error}" for error in self._judge_query(operation, request, names)]
        if request.content:
            body = operation.get("requestBody")
            place = f"{pointer}/requestBody/content/application~1json/schema"
            wrong += [f"{where}: no body is documented"] if body is None else []
            wrong += [f"{where} sends {e}" for e in self._errors(place, json.loads(request.content))] if body else []
        return wrong + [f"{where} answers {error}" for error in self._judge_answer(pointer, operation, answer)]

    def judge_webhook(self, name: str, body: bytes) -> list[str]:
        """What is wrong with a webhook's body."""
        if name not in self.document["webhooks"]:
            return [f"{name}: there is no such webhook"]
        place = f"#/webhooks/{name}/post/requestBody/content/application~1json/schema"
        return [f"{name}: {error}" for error in self._errors(place, json.loads(body))]

    def _judge_answer(self, pointer: str, operation: dict[str, Any], answer: httpx.Response) -> Iterable[str]:
        status = str(answer.status_code)
        documented = operation["responses"].get(status)
        if documented is None:
            # Every operation may refuse a token or a lost name; GitHub documents that once for all of them.
            yield from [] if status in {"401", "403", "404", "304"} else [f"{status}, which is not documented"]
            return
        place = f"{pointer}/responses/{status}"
        if "$ref" in documented:
            place = documented["$ref"]
            documented = self._at(place)
        if "content" in documented and answer.content:
            yield from self._errors(f"{place}/content/application~1json/schema", json.loads(answer.content))

    def _judge_query(self, operation: dict[str, Any], request: httpx.Request, names: set[str]) -> Iterable[str]:
        known: dict[str, Any] = {}
        for parameter in operation.get("parameters", ()):
            whole = self._at(parameter["$ref"]) if "$ref" in parameter else parameter
            if whole["in"] == "query":
                known[whole["name"]] = whole["schema"]
            elif whole["in"] == "path" and whole["name"] not in names:
                yield f"path parameter {whole['name']} is missing"
        for name, value in parse_qsl(request.url.query.decode()):
            if name not in known:
                yield f"query parameter {name} is not documented"
                continue
            schema = known[name]
            given: Any = int(value) if schema.get("type") == "integer" else value
            given = value.split(",") if schema.get("type") == "array" else given
            yield from (f"?{name}={value}: {e.message}" for e in Draft202012Validator(schema).iter_errors(given))

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, Any], set[str]] | None:
        for pattern, template in self._paths:
            match = pattern.fullmatch(unquote(path))
            operations = self.document["paths"][template]
            if match and method.lower() in operations:
                escaped = template.replace("~", "~0").replace("/", "~1")
                return f"#/paths/{escaped}/{method.lower()}", operations[method.lower()], set(match.groupdict())
        return None

    def _errors(self, place: str, value: Any) -> list[str]:
        validator = Draft202012Validator({"$ref": NAME + place}, registry=self._registry)
        return [_words(error) for error in validator.iter_errors(value)]

    def _at(self, reference: str) -> dict[str, Any]:
        found: Any = self.document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        whole: dict[str, Any] = found
        return whole


def _words(error: ValidationError) -> str:
    deepest = best_match([error]) or error
    return f"{deepest.json_path}: {deepest.message[:300]}"


def _pattern(template: str) -> re.Pattern[str]:
    """A path's template as a pattern; refs and comparisons may hold slashes."""
    parts = re.split(r"\{(\w+)\}", template)
    made = ""
    for index, part in enumerate(parts):
        if index % 2 == 0:
            made += re.escape(part)
        else:
            made += f"(?P<{part}>{'.+' if part in {'ref', 'basehead', 'path'} else '[^/]+'})"
    return re.compile(made)


def _wildness(template: str) -> tuple[int, int]:
    """Exact paths before those with placeholders, long ones before short ones."""
    return template.count("{"), -len(template)


def _use_null_types(schema: Any) -> None:
    """OpenAPI 3.0 says `nullable: true` where JSON Schema has the type null."""
    if isinstance(schema, list):
        for item in schema:
            _use_null_types(item)
        return
    if not isinstance(schema, dict):
        return
    for item in schema.values():
        _use_null_types(item)
    if schema.get("nullable") is not True:
        return
    del schema["nullable"]
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema and None not in schema["enum"]:
            schema["enum"].append(None)
    else:
        whole = dict(schema)
        schema.clear()
        schema["anyOf"] = [whole, {"type": "null"}]
