"""Path A in a simple Python script: `post_envelopes.py FILE URL COMMIT_FILE`

Each line is parsed and encoded again to find out how many records fit into an envelope. Each envelope is then encoded
as a whole and posted. The server validates the records.
"""

import json
import sys
from datetime import datetime, timezone
from urllib.request import Request, urlopen

MAX_BYTES = 60 * 1024 * 1024


def encode(value):
    return json.dumps(value, separators=(",", ":")).encode()


def read_records(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def chunks(records, room):
    """Yields lists of records whose encoded bytes, including commas, fit into `room` bytes."""
    chunk, used = [], 0
    for record in records:
        size = len(encode(record)) + 1
        if chunk and used + size > room:
            yield chunk
            chunk, used = [], 0
        chunk.append(record)
        used += size
    yield chunk


def post(url, body):
    request = Request(f"{url}/api/ingest", data=body, headers={"Content-Type": "application/json"})
    with urlopen(request, timeout=300) as response:
        return json.load(response)["inserted"]


def main(path, url, commit_path):
    with open(commit_path, encoding="utf-8") as file:
        commit = json.load(file)
    run = {"benchmark_id": "bench", "schema_version": 1, "started_at": datetime.now(timezone.utc).isoformat()}
    head = {"run_meta": run, "commit": commit}
    room = MAX_BYTES - len(encode({**head, "records": []}))
    records = read_records(path)
    inserted = sum(post(url, encode({**head, "records": chunk})) for chunk in chunks(records, room))
    print(json.dumps({"inserted": inserted}))


if __name__ == "__main__":
    main(*sys.argv[1:])
