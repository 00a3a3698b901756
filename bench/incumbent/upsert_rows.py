"""Path B in a simple Python script: `upsert_rows.py FILE URL COMMIT`

Validates each record and runs one statement per row in one transaction, the commit first. COMMIT is a file with the
commit's fields, or a git repository with the commit that the first record names.
"""

import json
import os
import subprocess
import sys

import psycopg
from kinds import KINDS, measurement_id, validate

# git's format placeholders for the commit's fields. The incumbent runs git once per field.
GIT_FORMATS = {
    "timestamp": "%cI",
    "message": "%s",
    "author_name": "%an",
    "author_email": "%ae",
    "committer_name": "%cn",
    "committer_email": "%ce",
    "tree_sha": "%T",
}
COMMIT = (*GIT_FORMATS, "url")
REPOSITORY_URL = "https://github.com/example/benchmarks"


def upsert(table, key, columns, values, overwritten):
    changes = ", ".join(f"{name} = excluded.{name}" for name in overwritten)
    return (
        f"INSERT INTO {table} ({', '.join((key, *columns))}) VALUES ({', '.join(values)}) "
        f"ON CONFLICT ({key}) DO UPDATE SET {changes} RETURNING (xmax = 0)"
    )


def upsert_record(table, fields):
    columns = [*fields]
    values = ["%s", *("%s::bigint[]" if code == "[i64]" else "%s" for code in fields.values())]
    overwritten = ["commit_sha", *(name for name, code in fields.items() if code[0] != "#")]
    if table == "query_measurements":
        columns.append("commit_timestamp")
        values.append("%s::timestamptz")
        overwritten.append("commit_timestamp")
    return upsert(table, "measurement_id", columns, values, overwritten)


STATEMENTS = {table: upsert_record(table, fields) for table, fields in KINDS.values()}
COMMIT_STATEMENT = upsert("commits", "commit_sha", COMMIT, ["%s"] * (len(COMMIT) + 1), COMMIT)


def read_records(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def read_commit(path, sha):
    if not os.path.isdir(path):
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    fields = {name: git(path, "show", "-s", f"--format={code}", sha) for name, code in GIT_FORMATS.items()}
    return {"sha": sha, **fields, "url": f"{REPOSITORY_URL}/commit/{sha}"}


def git(folder, *arguments):
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def write_record(connection, record, commit):
    table, fields = validate(record, commit["sha"])
    values = [measurement_id(table, fields, record), *map(record.get, fields)]
    if table == "query_measurements":
        values.append(commit["timestamp"])
    return connection.execute(STATEMENTS[table], values).fetchone()[0]


def main(path, url, commit_path):
    records = read_records(path)
    commit = read_commit(commit_path, records[0]["commit_sha"])
    with psycopg.connect(url, sslmode="verify-full") as connection:
        connection.execute(COMMIT_STATEMENT, [commit["sha"], *map(commit.get, COMMIT)])
        inserted = sum(write_record(connection, record, commit) for record in records)
    print(json.dumps({"inserted": inserted, "updated": len(records) - inserted}))


if __name__ == "__main__":
    main(*sys.argv[1:])
