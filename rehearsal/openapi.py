"""The API's description of itself, as far as it can be asked without a token."""

from __future__ import annotations

from typing import Any


def description(release: str) -> dict[str, Any]:
    """The OpenAPI document of a release."""
    return {
        "openapi": "3.0.3",
        "info": {"title": "Northgate client API", "version": release},
        "paths": {
            "/health": {"get": _answers("Health")},
            "/health/deep": {"get": _answers("Deep")},
            "/version": {"get": _answers("Version")},
            "/api/v1/status": {"get": _answers("Status")},
            "/api/v1/{resource}": {
                "get": {
                    "responses": {
                        "200": {"description": "what the account has", "content": {"application/json": {"schema": {}}}},
                        "401": _body("Refused"),
                    }
                }
            },
        },
        "components": {"schemas": SCHEMAS},
    }


def _answers(name: str) -> dict[str, Any]:
    return {"responses": {"200": _body(name)}}


def _body(name: str) -> dict[str, Any]:
    shape = {"$ref": f"#/components/schemas/{name}"}
    return {"description": name, "content": {"application/json": {"schema": shape}}}


WORD = {"type": "string", "enum": ["ok", "degraded", "failing"]}
SCHEMAS: dict[str, Any] = {
    "Health": {"type": "object", "required": ["status"], "properties": {"status": WORD}},
    "Check": {
        "type": "object",
        "required": ["status", "latency_ms"],
        "properties": {"status": WORD, "latency_ms": {"type": "number"}, "note": {"type": "string", "nullable": True}},
    },
    "Deep": {
        "type": "object",
        "required": ["status", "checks"],
        "properties": {
            "status": WORD,
            "checks": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Check"}},
        },
    },
    "Version": {
        "type": "object",
        "required": ["version", "build"],
        "properties": {"version": {"type": "string"}, "build": {"type": "string"}},
    },
    "Status": {
        "type": "object",
        "required": ["status", "api_version", "server_time"],
        "properties": {
            "status": {"type": "string", "enum": ["open", "read-only", "closed"]},
            "api_version": {"type": "string"},
            "server_time": {"type": "string", "format": "date-time"},
        },
    },
    "Refused": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}},
}
