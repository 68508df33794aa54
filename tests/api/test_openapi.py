"""The description of the API is true: valid, complete, with examples that fit and answers that are described."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from tests.support import story
from tests.support.circle import Circle

JSON = dict[str, Any]

# The parts of https://spec.openapis.org/oas/3.1/schema/2022-10-07 that a reader of this API rests on.
OPERATION = {
    "type": "object",
    "required": ["operationId", "summary", "description", "responses", "tags"],
    "properties": {
        "operationId": {"type": "string", "pattern": "^[a-z_]+$"},
        "summary": {"type": "string", "minLength": 4},
        "description": {"type": "string", "minLength": 10},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 1},
        "parameters": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "in", "schema"],
                "properties": {"in": {"enum": ["path", "query", "header"]}},
                "if": {"properties": {"in": {"const": "path"}}},
                "then": {"required": ["required"], "properties": {"required": {"const": True}}},
            },
        },
        "requestBody": {"type": "object", "required": ["content"]},
        "responses": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[1-5][0-9]{2}$"},
            "additionalProperties": {"type": "object", "required": ["description"]},
        },
        "security": {"type": "array"},
    },
}
DOCUMENT = {
    "type": "object",
    "required": ["openapi", "info", "paths", "components", "tags"],
    "properties": {
        "openapi": {"pattern": r"^3\.1\."},
        "info": {"type": "object", "required": ["title", "version", "description"]},
        "paths": {
            "propertyNames": {"pattern": "^/"},
            "additionalProperties": {
                "propertyNames": {"enum": ["get", "put", "post", "patch", "delete"]},
                "additionalProperties": OPERATION,
            },
        },
        "components": {"type": "object", "required": ["schemas", "securitySchemes"]},
        "tags": {"type": "array", "items": {"type": "object", "required": ["name", "description"]}},
    },
}


@pytest.fixture
async def described(played: Circle) -> JSON:
    found: JSON = (await played.api.get("/openapi.json", headers={"Authorization": ""})).json()
    return found


def operations(described: JSON) -> Iterator[tuple[str, str, JSON]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def validator(described: JSON, schema: JSON) -> jsonschema.Draft202012Validator:
    """For one schema, with the references it makes into the document."""
    whole = {**schema, "components": described["components"]}
    jsonschema.Draft202012Validator.check_schema(whole)
    return jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())


async def test_the_document_is_openapi_3_1_and_every_reference_leads_somewhere(described: JSON) -> None:
    jsonschema.Draft202012Validator(DOCUMENT).validate(described)
    names = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in described["tags"]}
    assert {tag for _, _, operation in operations(described) for tag in operation["tags"]} == tags
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(described))):
        place: Any = described
        for part in reference.split("/"):
            place = place[part]
    for name, schema in described["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema.get("description") or name.startswith("Page"), f"{name} says nothing about itself"
    for path, methods in described["paths"].items():
        for operation in methods.values():
            declared = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert declared == set(re.findall(r"\{(\w+)\}", path)), path


async def test_every_operation_names_its_problems_and_asks_for_a_token(described: JSON) -> None:
    for method, path, operation in operations(described):
        codes = set(operation["responses"])
        problems = {code for code in codes if code >= "400"}
        for code in problems:
            assert list(operation["responses"][code]["content"]) == ["application/problem+json"], (path, code)
        if path.startswith("/api/v1"):
            assert operation["security"] == [{"HTTPBearer": []}]
            assert {"401", "403", "500", "503"} <= problems, path
            assert "requestBody" not in operation or {"400", "413", "422"} <= problems, path
            assert "{" not in path or "404" in problems, path
            assert method == "get" or "409" in problems, path
        else:
            assert "security" not in operation
        assert any(code < "300" for code in codes)


async def test_every_request_and_answer_has_an_example_that_fits(described: JSON) -> None:
    examples = 0
    for method, path, operation in operations(described):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = content["schema"]
            reference = schema.get("$ref") or next((s["$ref"] for s in schema.get("anyOf", ()) if "$ref" in s), None)
            if reference is not None:
                assert described["components"]["schemas"][reference.rpartition("/")[2]]["examples"], (method, path)
    for name, schema in described["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            validator(described, {"$ref": f"#/components/schemas/{name}"}).validate(example)
            examples += 1
    assert examples > 25


def examples_of(described: JSON, name: str) -> list[Any]:
    found: list[Any] = described["components"]["schemas"][name]["examples"]
    return found


class Watched:
    """Holds every answer that the API gives against its description."""

    def __init__(self, played: Circle, described: JSON) -> None:
        self.played, self.described = played, described
        self.seen: set[str] = set()

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        answer = await self.played.api.request(method, path, json=body, **options)
        operation = self._operation(method, path)
        self.seen.add(operation["operationId"])
        where = (method, path, answer.status_code, answer.text[:300])
        assert str(answer.status_code) in operation["responses"], where
        content = operation["responses"][str(answer.status_code)].get("content", {})
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if not content:
            assert not answer.content, where
            return None
        assert kind in content, where
        if kind == "text/plain":
            return answer.text
        validator(self.described, content[kind]["schema"]).validate(answer.json())
        return answer.json()

    def _operation(self, method: str, path: str) -> JSON:
        plain = path.partition("?")[0]
        fewest_holes_first = sorted(self.described["paths"].items(), key=lambda item: item[0].count("{"))
        for pattern, methods in fewest_holes_first:
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), plain) and method.lower() in methods:
                found: JSON = methods[method.lower()]
                return found
        raise AssertionError(f"{method} {path} is not described")


@pytest.fixture
async def watched(played: Circle, described: JSON) -> Watched:
    return Watched(played, described)


async def test_every_answer_of_a_whole_circle_is_as_described(watched: Watched) -> None:
    played, call = watched.played, watched.call
    await call("POST", "/api/v1/accounts", {"channel": "rehearsal", "name": "Acme", "mode": "approve"})
    await call("POST", "/api/v1/trackers", {"kind": "rehearsal", "name": "Acme app"})
    await call("POST", "/api/v1/trackers", {"kind": "rehearsal"})
    await call("PATCH", "/api/v1/accounts/1", {"name": "Acme"})
    await call("PATCH", "/api/v1/trackers/1", {"name": "App"})
    number = await story.complain(played)
    await story.complain(played, "Another", handle="ben")
    await call("POST", "/api/v1/accounts/1/pull")
    await call(
        "POST", "/api/v1/posts", {"account_id": 1, "url": f"http://fullcircle.test/rehearsal/main/posts/{number}"}
    )
    await call("POST", "/api/v1/posts/2/dismiss")
    await call("POST", "/api/v1/posts/2/restore")
    await call(
        "POST", "/api/v1/loops", {"post_id": 1, "tags": ["export"], "issue": {"tracker_id": 1, "title": "Export"}}
    )
    await call("POST", "/api/v1/loops", {"post_id": 99})
    await call("POST", "/api/v1/customers/1/identities", {"identity_id": 2})
    await call("DELETE", "/api/v1/customers/1/identities/2")
    await call("DELETE", "/api/v1/customers/1/identities/2")
    await call("POST", "/api/v1/customers/2/suppress", {"why": "by e-mail"})
    await call("POST", "/api/v1/customers/2/lift")
    await call("POST", "/api/v1/loops/1/tell")
    await call("GET", "/api/v1/posts/1/suggestions")
    await call("PATCH", "/api/v1/loops/1", {"assignee": "Kim"})
    await call("POST", "/api/v1/loops/1/notes", {"text": "It is the cache."})
    await call("POST", "/api/v1/loops/1/replies", {"text": "We are on it."})
    await call("DELETE", "/api/v1/loops/1/issue")
    await call("PUT", "/api/v1/loops/1/issue", {"tracker_id": 1, "ref": "#1"})
    await call("POST", "/api/v1/issues/1/hold", {"why": "rollout"})
    await call("POST", "/api/v1/issues/1/release")
    await story.ship(played)
    await call("POST", "/api/v1/trackers/1/pull")
    await call("POST", "/api/v1/trackers/1/preview", {"settings": {"shipped_when": "closed"}})
    await call("PATCH", "/api/v1/replies/2", {"text": "It is out."})
    await call("POST", "/api/v1/replies/2/approve")
    await played.rest()
    for deed in ("take_over", "not_posted", "posted"):
        await call("POST", f"/api/v1/replies/2/{deed}")
    await call("PUT", "/api/v1/templates/fixed", {"language": "en", "text": "Out now, {{ customer }}."})
    await call("GET", "/api/v1/templates/fixed")
    await call("PUT", "/api/v1/voice", {"on": False})
    await call("GET", "/api/v1/voice")
    for what in ("posts", "loops", "told"):
        await call("GET", f"/api/v1/customers/1/{what}?limit=1")
    for noun in ("accounts", "trackers", "posts", "loops", "issues", "replies", "customers"):
        await call("GET", f"/api/v1/{noun}")
        await call("GET", f"/api/v1/{noun}/1")
        await call("GET", f"/api/v1/{noun}/99")
        await call("GET", f"/api/v1/{noun}?limit=1")
    for noun in ("accounts", "trackers"):
        await call("GET", f"/api/v1/{noun}/1/health")
    await call("GET", "/api/v1/trackers/1/deliveries")
    await call("POST", "/api/v1/trackers/1/hook")
    await call("POST", "/api/v1/accounts/1/hook")
    await call("POST", "/api/v1/trackers/choices", {"kind": "rehearsal"})
    await call("GET", "/api/v1/trackers/1/choices")
    await call("POST", "/hooks/trackers/1", {})
    await call("POST", "/hooks/accounts/1", {})
    await call("GET", "/hooks/accounts/1")
    for path in ("/healthz", "/readyz", "/metrics"):
        await call("GET", path)
    for noun in ("accounts", "trackers"):
        await call("DELETE", f"/api/v1/{noun}/1")
    assert watched.seen == {operation["operationId"] for _, _, operation in operations(watched.described)}
