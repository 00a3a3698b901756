"""The parts of the contract that a simple Python ingester needs: fields of each kind, their checks, and the id."""

import math
import struct

import xxhash

# Type of each field in column order: "?" means null or absent is allowed, "#" part of the id.
TIMES = {"value_ns": "i64", "all_runtimes_ns": "[i64]"}
MEMORY = ("peak_physical", "peak_virtual", "physical_delta", "virtual_delta")
DATA = {"commit_sha": "#str", "dataset": "#str"}
VARIANT = {**DATA, "dataset_variant": "#?str"}

KINDS = {
    "query_measurement": (
        "query_measurements",
        {
            **VARIANT,
            "scale_factor": "#?str",
            "query_idx": "#i32",
            "storage": "#str",
            "engine": "#str",
            "format": "#str",
            **TIMES,
            **{name: "?i64" for name in MEMORY},
            "env_triple": "?str",
        },
    ),
    "compression_time": (
        "compression_times",
        {**VARIANT, "format": "#str", "op": "#str", **TIMES, "env_triple": "?str"},
    ),
    "compression_size": ("compression_sizes", {**VARIANT, "format": "#str", "value_bytes": "i64"}),
    "random_access_time": ("random_access_times", {**DATA, "format": "#str", **TIMES, "env_triple": "?str"}),
    "vector_search_run": (
        "vector_search_runs",
        {
            **DATA,
            "layout": "#str",
            "flavor": "#str",
            "threshold": "#f64",
            **TIMES,
            "matches": "i64",
            "rows_scanned": "i64",
            "bytes_scanned": "i64",
            "iterations": "i32",
            "env_triple": "?str",
        },
    ),
}


def is_int(value, bits):
    return type(value) is int and -(1 << bits - 1) <= value < 1 << bits - 1


CHECKS = {
    "str": lambda value: type(value) is str,
    "i32": lambda value: is_int(value, 32),
    "i64": lambda value: is_int(value, 64),
    "f64": lambda value: type(value) in (int, float) and math.isfinite(value),
    "[i64]": lambda value: type(value) is list and all(is_int(item, 64) for item in value),
}


def validate(record, sha):
    """Returns the table and fields of a valid record. Raises ValueError for an invalid one."""
    if type(record) is not dict or record.get("kind") not in KINDS:
        raise ValueError("no record of a known kind")
    table, fields = KINDS[record["kind"]]
    unknown = record.keys() - fields.keys() - {"kind"}
    if unknown:
        raise ValueError(f"unknown fields {sorted(unknown)}")
    for name, code in fields.items():
        value = record.get(name)
        if value is None and "?" in code:
            continue
        if not CHECKS[code.lstrip("#?")](value):
            raise ValueError(f"{name} is {value!r}")
    if record["commit_sha"] != sha:
        raise ValueError("the record is of another commit")
    if table == "query_measurements":
        check_query(record)
    return table, fields


def check_query(record):
    if record["storage"] not in ("nvme", "s3"):
        raise ValueError(f"storage is {record['storage']!r}")
    if len({record.get(name) is None for name in MEMORY}) > 1:
        raise ValueError("some memory fields are there and some are not")


def measurement_id(table, fields, record):
    """XXH64 of the table's name and the dimensions, as a signed integer."""
    parts = bytearray(table.encode() + b"\0")
    for name, code in fields.items():
        if code[0] == "#":
            parts += dimension(code, record.get(name))
    (signed,) = struct.unpack(">q", xxhash.xxh64_digest(parts))
    return signed


def dimension(code, value):
    if code == "#i32":
        return struct.pack("<i", value)
    if code == "#f64":
        return struct.pack("<d", value)
    if value is None:
        return b"\0"
    text = value.encode()
    return (b"\1" if "?" in code else b"") + struct.pack("<Q", len(text)) + text
