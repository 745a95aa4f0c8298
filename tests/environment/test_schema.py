from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from postdeploy.environment import Environment
from postdeploy.environment.files import FOLDER
from postdeploy.environment.schema import schema, text, write_schema
from postdeploy.environment.yaml import read

FILES = sorted(FOLDER.glob("*.yaml"))


def problems(data: Any) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(schema()).iter_errors(data)]


def properties() -> Iterator[tuple[str, str, dict[str, Any]]]:
    whole = schema()
    for name, part in [("Environment", whole), *whole["$defs"].items()]:
        yield from ((name, key, each) for key, each in part["properties"].items())


def test_the_committed_schema_is_fresh():
    assert (FOLDER / "schema.json").read_text(encoding="utf-8") == text(), "run the last line of environments/README.md"


def test_it_is_written_whole(tmp_path):
    assert json.loads(write_schema(tmp_path).read_text(encoding="utf-8")) == schema()


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


def test_there_are_ten_files():
    assert len(FILES) == 10


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_is_complete_for_an_editor(path):
    assert problems(read(path).data) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_names_its_schema(path):
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=schema.json\n")


@pytest.mark.parametrize(
    "wrong",
    [
        {"regulators": "FCA"},
        {"name": "uk-prod"},
        {"components": {"crm-web": {"name": "crm-web"}}},
        {"components": {"crm-web": {"replicas": "3"}}},
        {"components": {"crm-web": {"kind": "deployment"}}},
        {"components": {"redis": {"tag": 7.4}}},
        {"components": {"Bad_Name": {}}},
        {"deposits": {"card": {"amount": 10.0}}},
        {"deposits": {"card": {"method": "card"}}},
        {"country": False},
        {"tolerances": [{"check": "infra.images.tag"}]},
        {"tolerances": [None]},
    ],
    ids=str,
)
def test_it_refuses_what_the_loader_refuses(wrong):
    assert problems(wrong)


def test_an_overlay_may_remove_what_the_base_says():
    assert problems({"deposits": {"card": None}, "settle": {"every_s": None}, "tolerances": None, "brands": None}) == []


def test_every_key_is_described():
    assert [f"{name}.{key}" for name, key, each in properties() if not each.get("description")] == []


def test_every_field_but_the_injected_is_there():
    assert set(schema()["properties"]) == set(Environment.model_fields) - {"name"}
