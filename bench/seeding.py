"""Projects with any number of crashes and debug files, made inside the database. The same every time but for its clock.

Crashes are spread over 30 days and over groups of very different sizes; platforms, systems, versions and attributes are
some common and some rare. What is made holds as rows; there are no contents behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection

GROUPS_EACH_NAMES = 38


@dataclass(frozen=True, slots=True)
class Size:
    """How much a project has."""

    crashes: int
    groups: int
    lacked: int
    lacks: int
    debug_files: int


SMALL = Size(1_000, 200, 100, 1_000, 1_000)
MIDDLE = Size(100_000, 2_000, 1_000, 100_000, 10_000)
LARGE = Size(1_000_000, 5_000, 2_000, 1_000_000, 100_000)

# Of the n-th of many: its group, few of them having most crashes.
_SPREAD = "floor(%(groups)s * power((n * 48271::bigint %% 1000003) / 1000003.0, 3))::bigint"
_GROUPS = """
INSERT INTO crashes_group (id, project_id, fingerprint, title, culprit, state, count, first_seen, last_seen, versions,
    platforms, regressed_version, regressed_at)
SELECT %(first_group)s + n, %(project)s, md5(n::text) || md5('x' || n), 'SIGSEGV in ' || md5(n::text),
    'app::part' || n %% 40 || '::fault' || n, CASE WHEN n %% 10 < 7 THEN 'open' WHEN n %% 10 < 9 THEN 'resolved'
    ELSE 'ignored' END, 1, now(), now(), '{"1.0": 1}', '{"native": 1}', '', CASE WHEN n %% 50 = 0 THEN now() END
FROM generate_series(0, %(groups)s - 1) AS n
"""
_NAMES = """
INSERT INTO crashes_groupname (project_id, group_id, kind, name)
SELECT %(project)s, %(first_group)s + n, CASE WHEN k < 35 THEN 'function' ELSE 'module' END,
    CASE WHEN k < 35 THEN 'app::part' || (n * 7 + k) %% 997 || '::f' || n %% 400 || '_' || k
    ELSE 'lib' || (n + k) %% 300 || '.so' END
FROM generate_series(0, %(groups)s - 1) AS n, generate_series(1, %(names)s) AS k
"""
_CRASHES = f"""
INSERT INTO crashes_crash (id, project_id, rxid, format, door, received_at, waiting_since, due_at, processed_at,
    blob_key, size, sha256, stored_bytes, attributes, classifiers, modifiers, client_fingerprint, state, priority,
    attempts, problem, fingerprint, title, culprit, platform, version, os_name, arch, frame_count, unnamed_count,
    group_id)
SELECT %(first_crash)s + n, %(project)s, gen_random_uuid()::text, 'minidump', 'backtrace', at, at, at, at,
    'crashes/' || %(project)s || '/' || n, 300000, md5(n::text) || md5('y' || n), 300000,
    jsonb_build_object('hostname', 'web' || n %% 100, 'channel', CASE WHEN n %% 2 = 0 THEN 'beta' ELSE 'stable' END,
        'customer', n / 20), '{{}}', '{{}}', '',
    CASE n %% 1000 WHEN 1 THEN 'set_aside' WHEN 2 THEN 'pending' ELSE 'done' END, 0, 1, '',
    md5(n::text) || md5('x' || n), 'SIGSEGV in ' || n %% 5000, 'app::part' || n %% 40,
    CASE WHEN n %% 10 < 6 THEN 'native' WHEN n %% 10 < 9 THEN 'javascript' ELSE 'jvm' END,
    CASE WHEN n %% 10007 = 5 THEN '0.1' ELSE '1.' || n %% 50 END,
    CASE WHEN n %% 10007 = 6 THEN 'Haiku' ELSE (ARRAY['Linux', 'Windows', 'macOS', 'Android'])[n %% 4 + 1] END,
    'x86_64', 40, CASE WHEN n %% 20 = 0 THEN 3 ELSE 0 END,
    CASE WHEN n %% 1000 IN (1, 2) THEN NULL ELSE %(first_group)s + {_SPREAD} END
FROM generate_series(0, %(crashes)s - 1) AS n,
    LATERAL (SELECT now() - (%(crashes)s - n) * (interval '30 days' / %(crashes)s) AS at) AS times
"""
_COUNTED = """
UPDATE crashes_group SET count = of.count, first_seen = of.first, last_seen = of.last
FROM (SELECT group_id, count(*), min(received_at) AS first, max(received_at) AS last
    FROM crashes_crash WHERE project_id = %(project)s GROUP BY group_id) AS of
WHERE of.group_id = crashes_group.id
"""
_LACKED = """
INSERT INTO crashes_lackedfile (id, project_id, kind, key, name, debug_id, debug_uuid, code_id, release, dist, module,
    probes, cause, remedy)
SELECT %(first_lacked)s + n, %(project)s, 'debug_file', md5(n::text), '/opt/app/lib' || n || '.so',
    md5('lacked' || n)::uuid::text, md5('lacked' || n)::uuid, md5('code' || n), '', '', '{}', 0, '', ''
FROM generate_series(0, %(lacked)s - 1) AS n
"""
_LACKS = """
INSERT INTO crashes_crashlack (crash_id, file_id, files_revision)
SELECT %(first_crash)s + n %% %(crashes)s,
    %(first_lacked)s + floor(%(lacked)s * power((n * 48271::bigint %% 1000003) / 1000003.0, 2))::bigint, 1
FROM generate_series(0, %(lacks)s - 1) AS n ON CONFLICT DO NOTHING
"""
# Triggers, which would count them, stand still meanwhile.
_LACKS_COUNTED = """
UPDATE crashes_lackedfile SET crashes = of.crashes
FROM (SELECT file_id, count(*) AS crashes FROM crashes_crashlack GROUP BY file_id) AS of
WHERE of.file_id = crashes_lackedfile.id AND project_id = %(project)s
"""
_BLOBS = """
INSERT INTO debugfiles_blob (id, sha256, sha1, size, key, state, created_at)
SELECT %(first_file)s + n, md5(%(project)s || 'b' || n) || md5(n::text), md5(%(project)s || 's' || n) || '00000000',
    100000, 'debugfiles/' || n, 'stored', now()
FROM generate_series(0, %(debug_files)s - 1) AS n
"""
_FILES = """
INSERT INTO debugfiles_debugfile (project_id, blob_id, object_index, object_offset, object_size, debug_id, debug_uuid,
    debug_appendix, code_id, file_types, symbol_type, kind, cpu, features, object_name, checksum, created_at)
SELECT %(project)s, %(first_file)s + n, 0, 0, 100000, md5('file' || n)::uuid::text, md5('file' || n)::uuid, 0,
    md5('filecode' || n), '{elf_debug,elf_code}', CASE WHEN n %% 5000 = 7 THEN 'proguard' ELSE 'elf' END, 'dbg',
    'x86_64', '{debug,symtab}', 'libpart' || n %% 1000 || '.so.' || n %% 7, md5(%(project)s || 's' || n) || '00000000',
    now()
FROM generate_series(0, %(debug_files)s - 1) AS n
"""
_STATEMENTS = (_GROUPS, _NAMES, _CRASHES, _COUNTED, _LACKED, _LACKS, _LACKS_COUNTED, _BLOBS, _FILES)
_TABLES = (
    "crashes_group", "crashes_groupname", "crashes_crash", "crashes_lackedfile", "crashes_crashlack",
    "debugfiles_blob", "debugfiles_debugfile",
)  # fmt: skip


def seed(projects: Iterable[tuple[int, Size]]) -> None:
    """Fill projects, by id; then the tables are as the database's housekeeping leaves them."""
    with connection.cursor() as cursor:
        # Rows refer to each other as they should; being told so row by row takes longer than making them.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '256MB'")
        with _without_indexes(("crashes_crash", "crashes_crashlack")):
            for number, (project, size) in enumerate(projects):
                for statement in _STATEMENTS:
                    cursor.execute(statement, _values(project, size, number))
        cursor.execute("SET session_replication_role = DEFAULT")
        for table in _TABLES:
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        cursor.execute(f"VACUUM (ANALYZE) {', '.join(_TABLES)}")


def _values(project: int, size: Size, number: int) -> dict[str, int]:
    first = number * 10_000_000
    return {
        "project": project,
        **{name: getattr(size, name) for name in Size.__slots__},
        "names": GROUPS_EACH_NAMES,
        **{f"first_{name}": first + 1 for name in ("group", "crash", "lacked", "file")},
    }


@contextmanager
def _without_indexes(tables: Iterable[str]) -> Iterator[None]:
    """Drop plain indexes and make them again, which is much faster than to keep them up to date."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT IN"
            " (SELECT conname FROM pg_constraint)",
            [list(tables)],
        )
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        for _, definition in found:
            cursor.execute(definition)
