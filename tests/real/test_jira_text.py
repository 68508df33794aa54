"""What we write into Jira Cloud, judged by Atlassian's own schema of its document format."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from app.trackers.jira import as_adf


@cache
def schema() -> Draft4Validator:
    path = Path(os.environ.get("ADF_SCHEMA") or Path(__file__).parents[2] / "build/real/adf-schema.json")
    if not path.is_file():
        pytest.skip("@atlaskit/adf-schema is not installed: `make real-servers` installs it, or name it in ADF_SCHEMA")
    return Draft4Validator(json.loads(path.read_text(encoding="utf-8")))


WORDS = (
    "### 3 customers wait for this\n\nOn **Mastodon**, since 3 May.\n\n> Export \\*all\\*\n> again\n\n"
    "ana, [Mastodon, 3 May](https://m.example/@ana/1)\n\n- one\n- [two](https://m.example/2)\n\nsee https://m.example/3\n"
    "and a second line\n\n<sub>Kept up to date.</sub>\n<!-- fullcircle:issue-7 -->"
)


@pytest.mark.parametrize("words", ["", " \n\n ", "x", WORDS])
def test_what_fullcircle_writes_is_a_document(words: str) -> None:
    assert not [error.message for error in schema().iter_errors(as_adf(words))]


@given(st.text(alphabet=st.sampled_from("ab -#>*[]()\\{}~@!|\n<&;:/.htps1"), max_size=80) | st.text(max_size=80))
def test_any_text_becomes_a_document(words: str) -> None:
    assert schema().is_valid(as_adf(words))


def test_the_judge_sees_what_is_wrong() -> None:
    assert not schema().is_valid({"type": "doc", "version": 1, "content": [{"type": "text", "text": "bare"}]})
    assert not schema().is_valid({"type": "doc", "version": 1, "content": [{"type": "paragraf", "content": []}]})
