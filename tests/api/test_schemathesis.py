"""Whatever is sent to the API: no fault of the service, and nothing answered that the schema does not document."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from projects.scopes import SCOPES
from tests.service import Service
from tests.symbolication.http import call

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,response_headers_conformance"
)
CONFIGURATION = """
[parameters]
"path.organization_id_or_slug" = "{organization}"
"path.project_id_or_slug" = "{project}"

[phases.coverage]
unexpected-methods = ["PATCH"]
"""


# Every way a field can be wrong. These take the same bodies as others do, in a place of their own or with more work
# for each, or bodies with as many fields as all others together, of which the rooms' own tests know every one: they are
# only fuzzed, unless everything is asked for.
TWINS = "|".join(
    (
        "(list|add|replace|delete)_organization_symbol_sources?",
        "(add|replace|test)_project_symbol_source",
        "symbolicate(_javascript|_jvm|_stored_file|_minidump|_apple_report)?_for_project",
    )
)
EVERYTHING = bool(os.environ.get("SYMBOLSVC_FUZZ_SECONDS"))
LESS = ("--exclude-operation-id-regex", f"^({TWINS})$")
RUNS = {
    "examples and fuzzing": ("--phases", "examples,fuzzing", "--max-examples", "40" if EVERYTHING else "5"),
    "coverage": ("--phases", "coverage", *(() if EVERYTHING else LESS)),
}


@pytest.mark.e2e
@pytest.mark.parametrize("run", RUNS)
def test_generated_requests_meet_no_fault_and_no_undocumented_answer(
    service: Service, tmp_path: Path, run: str
) -> None:
    made = service.bootstrap()
    organization, project = made["organization"]["slug"], made["project"]["slug"]
    token = service.token(organization, scopes=tuple(SCOPES))
    # Its own request for the schema gives up too soon for a busy machine.
    schema = tmp_path / "openapi.yaml"
    schema.write_bytes(call(f"{service.url}/api/0/schema/").body)
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION.format(organization=organization, project=project))
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("st")), "--config-file", str(configuration)),
            *("run", str(schema), "--url", service.url, "-H", f"Authorization: Bearer {token}"),
            *("--checks", CHECKS, *RUNS[run]),
            *("--generation-database", "none", "--seed", "1", "--continue-on-failure"),
            # What was stored by earlier requests may name a host that only times out.
            *("--request-timeout", "90"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert token not in service.log
