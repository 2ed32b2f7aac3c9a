"""A Delta Sharing server (PROTOCOL.md, parquet format) over files that pyarrow writes; nothing of Huitong's is in it.

Prints {"port", "expected"} and serves until its standard input ends. POST /control/bump makes version 2 of `large`.
"""
import datetime as dt
import decimal
import http.server
import io
import json
import sys
import threading
import time
import urllib.parse

import pyarrow as pa
import pyarrow.parquet as pq

TOKEN = sys.argv[1]
UTC = dt.timezone.utc
FILES, TABLES = {}, {}
STATE = {"version": 1, "history": True, "signature": "s1g"}


def field(name, type_, nullable=True, **metadata):
    return {"name": name, "type": type_, "nullable": nullable, "metadata": metadata}


def share(name, fields, parts, partition_columns=(), protocol=1, description=None, **options):
    files = []
    for i, (values, table) in enumerate(parts):
        buffer = io.BytesIO()
        pq.write_table(table, buffer, **options)
        id_ = f"{name}-{i}"
        FILES[id_] = buffer.getvalue()
        files.append({"id": id_, "partitionValues": values, "size": len(FILES[id_]), "rows": table.num_rows})
    TABLES[name] = dict(fields=fields, files=files, partitions=list(partition_columns), protocol=protocol, description=description)


def column_table(type_, cells, name="cell"):
    return pa.table({name: pa.array(cells, type_)})


LARGE = 1000
share("large", [field("id", "long", False), field("filler", "string")],
      [({}, pa.table({"id": pa.array(range(i * LARGE, (i + 1) * LARGE), pa.int64()),
                      "filler": pa.array([f"row {n}" for n in range(LARGE)], pa.large_string() if i else pa.string())},
                     schema=pa.schema([pa.field("id", pa.int64(), False), pa.field("filler", pa.large_string() if i else pa.string())])))
       for i in range(3)], row_group_size=300)
share("empty", [field("id", "long"), field("name", "string")], [])
NAMES = ["Id", "with space", 'quo"te', "姓名", "a.b", "select"]
share("Names 表", [field(n, "string", comment="注释 " + n) for n in NAMES], [({}, pa.table({n: ["x"] for n in NAMES}))], description="名称表")
share("wide", [field(f"c{i}", "integer") for i in range(1600)], [({}, pa.table({f"c{i}": pa.array([i], pa.int32()) for i in range(1600)}))])
share("unmapped", [field("id", "long"), field("tags", {"type": "array", "elementType": "string", "containsNull": True}),
                   field("attributes", {"type": "map"})], [])
share("vectors", [field("id", "long")], [({}, column_table(pa.int64(), [1], "id"))])
TABLES["vectors"]["files"][0]["deletionVectorFileId"] = "dv-1"
share("own-format", [field("id", "long")], [], protocol=3)
share("slow", [field("id", "long")], [({}, column_table(pa.int64(), [1], "id"))])
CELL = 64 * 1024 * 1024
share("big", [field("cell", "string")], [({}, column_table(pa.string(), ["x" * CELL]))])
share("bigger", [field("cell", "string")], [({}, column_table(pa.string(), ["x" * (CELL + 1)]))])
# Files written before a column was added, and partition columns of several types.
share("parted", [field("id", "long"), field("added", "string"), field("city", "string"), field("day", "date"), field("n", "decimal(5,2)")], [
    ({"city": "昆山", "day": "2026-03-01", "n": "1.5"}, column_table(pa.int64(), [1, 2], "id")),
    ({"city": "", "day": None, "n": "123456"}, pa.table({"added": ["yes"], "id": pa.array([3], pa.int64())})),
], partition_columns=["city", "day", "n"])


def instant(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


D = decimal.Decimal
TORTURE = {
    "long": ("long", pa.int64(), [-2**63, 2**63 - 1, 0], ["-9223372036854775808", "9223372036854775807", "0"]),
    "integer": ("integer", pa.int32(), [-2**31, 2**31 - 1, 0], ["-2147483648", "2147483647", "0"]),
    "short": ("short", pa.int16(), [-2**15, 2**15 - 1, 0], ["-32768", "32767", "0"]),
    "byte": ("byte", pa.int8(), [-128, 127, 0], ["-128", "127", "0"]),
    "boolean": ("boolean", pa.bool_(), [True, False, True], ["t", "f", "t"]),
    "double": ("double", pa.float64(), [float("nan"), float("-inf"), 0.1], ["NaN", "-Infinity", "0.1"]),
    "float": ("float", pa.float32(), [1.5, float("inf"), -0.0], ["1.5", "Infinity", "-0"]),
    "small_decimal": ("decimal(9,2)", pa.decimal128(9, 2), [D("-9999999.99"), D("0.01"), D(0)], ["-9999999.99", "0.01", "0.00"]),
    "decimal": ("decimal(38,18)", pa.decimal128(38, 18), [D("-99999999999999999999.999999999999999999"), D("0.000000000000000001"), D(0)],
                ["-99999999999999999999.999999999999999999", "0.000000000000000001", "0.000000000000000000"]),
    "date": ("date", pa.date32(), [dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(1970, 1, 1)], ["0001-01-01", "9999-12-31", "1970-01-01"]),
    "timestamp": ("timestamp", pa.timestamp("us", "UTC"), [instant("0001-01-01"), instant("9999-12-31T23:59:59.999999"), instant("2026-03-01T08:00:00.5")],
                  ["0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00", "2026-03-01 08:00:00.5+00"]),
    "millis": ("timestamp", pa.timestamp("ms", "UTC"), [instant("1969-12-31T23:59:59.999"), instant("2026-03-01"), instant("1970-01-01")],
               ["1969-12-31 23:59:59.999+00", "2026-03-01 00:00:00+00", "1970-01-01 00:00:00+00"]),
    "ntz": ("timestamp_ntz", pa.timestamp("us"), [dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31), dt.datetime(2026, 3, 1, 8)],
            ["0001-01-01 00:00:00", "9999-12-31 00:00:00", "2026-03-01 08:00:00"]),
    "nanos": ("timestamp_ntz", pa.timestamp("ns"), pa.array([1_000, -1_000, 1_500], pa.timestamp("ns")),
              ["1970-01-01 00:00:00.000001", "1969-12-31 23:59:59.999999", None]),
    "binary": ("binary", pa.binary(), [b"", b"\x00\xff", b"x" * 5], ["\\x", "\\x00ff", "\\x7878787878"]),
    "string": ("string", pa.string(), ["", "汇通😀\x00\n", "a"], ["", "汇通😀\x00\n", "a"]),
}
share("torture", [field(name, delta) for name, (delta, *_) in TORTURE.items()],
      [({}, pa.table({name: pa.concat_arrays([pa.array(cells, arrow), pa.nulls(1, arrow)]) for name, (_, arrow, cells, _) in TORTURE.items()}))])
EXPECTED = {name: texts + [None] for name, (_, _, _, texts) in TORTURE.items()}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, code, body, **headers):
        data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, code, error):
        self.answer(code, {"errorCode": error, "message": error})

    def head_lines(self, table):
        metadata = {"id": "x", "format": {"provider": "parquet"}, "partitionColumns": table["partitions"],
                    "schemaString": json.dumps({"type": "struct", "fields": table["fields"]})}
        if table["description"]:
            metadata["description"] = table["description"]
        return [{"protocol": {"minReaderVersion": table["protocol"]}}, {"metaData": metadata}]

    def lines(self, objects, version):
        self.answer(200, "\n".join(map(json.dumps, objects)) + "\n", content_type="application/x-ndjson", delta_table_version=str(version))

    def file_line(self, file, version):
        url = f"http://127.0.0.1:{PORT}/files/{urllib.parse.quote(file['id'])}?X-Amz-Signature={STATE['signature']}"
        line = {k: file[k] for k in ("id", "partitionValues", "size", "deletionVectorFileId") if k in file}
        return {"file": {**line, "url": url, "version": version, "stats": json.dumps({"numRecords": file["rows"]})}}

    def do_GET(self):
        path = urllib.parse.unquote(urllib.parse.urlparse(self.path).path)
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlparse(self.path).query))
        if path.startswith("/files/"):
            id_ = path[len("/files/"):]
            if query.get("X-Amz-Signature") != STATE["signature"]:
                return self.refuse(403, "REQUEST_HAS_EXPIRED")
            if "authorization" in self.headers:
                return self.refuse(400, "BOTH_A_SIGNATURE_AND_A_TOKEN")
            if id_ == "slow-0":
                STATE["busy"] = STATE.get("busy", 0) + 1
                try:
                    while self.connection.recv(1, 0x42) != b"":  # MSG_PEEK | MSG_DONTWAIT
                        time.sleep(0.02)
                except BlockingIOError:
                    return self.wait_for_hangup()
                finally:
                    STATE["busy"] -= 1
                return
            return self.answer(200, FILES[id_]) if id_ in FILES else self.refuse(404, "GONE")
        if path == "/control/busy":
            return self.answer(200, {"busy": STATE.get("busy", 0)})
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.refuse(401, "UNAUTHENTICATED")
        if path == "/ds/shares":
            # In pages of one, to be asked for again.
            names = ["city", "second"]
            at = int(query.get("pageToken", 0))
            more = {"nextPageToken": str(at + 1)} if at + 1 < len(names) else {}
            return self.answer(200, {"items": [{"name": names[at]}], **more})
        if path == "/ds/shares/second/all-tables":
            return self.answer(200, {"items": []})
        if path == "/ds/shares/city/all-tables":
            hidden = ("own-format",)
            return self.answer(200, {"items": [{"share": "city", "schema": "main", "name": n} for n in TABLES if n not in hidden]})
        table, _, action = path.removeprefix("/ds/shares/city/schemas/main/tables/").rpartition("/")
        if table not in TABLES:
            return self.refuse(404, "RESOURCE_DOES_NOT_EXIST")
        if action == "version":
            return self.answer(200, b"", delta_table_version=str(STATE["version"]))
        if action == "metadata":
            return self.lines(self.head_lines(TABLES[table]), STATE["version"])
        return self.refuse(404, "RESOURCE_DOES_NOT_EXIST")

    def wait_for_hangup(self):
        self.connection.setblocking(True)
        self.connection.recv(1)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urllib.parse.unquote(self.path)
        if path.startswith("/control/"):
            STATE.update(json.loads(body))
            return self.answer(200, {})
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.refuse(401, "UNAUTHENTICATED")
        name = path.removeprefix("/ds/shares/city/schemas/main/tables/").removesuffix("/query")
        if name not in TABLES:
            return self.refuse(404, "RESOURCE_DOES_NOT_EXIST")
        wanted = json.loads(body or b"{}").get("version", STATE["version"])
        if wanted != STATE["version"] and not STATE["history"]:
            return self.refuse(400, "HISTORY_IS_NOT_SHARED")
        table = TABLES[name]
        # Version 2 of `large` has lost its first file.
        files = table["files"][1:] if name == "large" and wanted == 2 else table["files"]
        self.lines(self.head_lines(table) + [self.file_line(file, wanted) for file in files], wanted)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        # A reader that is cancelled closes its connection in mid-answer: that is the test, not a fault to be told.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


server = Server(("127.0.0.1", 0), Handler)
PORT = server.server_address[1]
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"port": PORT, "expected": EXPECTED}), flush=True)
sys.stdin.read()
