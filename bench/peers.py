"""One peer reads one table and writes it as a file: peers.py PEER URL TABLE DIRECTORY. Prints its seconds and peak memory.

None of them checks a contract, counts, sums, hashes or stages. Imports are not counted, as ours are not.
"""

import json
import os
import resource
import sys
import time


def adbc(url, table, directory):
    import adbc_driver_postgresql.dbapi as dbapi
    import pyarrow.ipc as ipc

    yield
    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"select * from {table}")
        write(ipc, cursor.fetch_record_batch(), directory)


def connectorx(url, table, directory):
    import connectorx
    import pyarrow.ipc as ipc

    yield
    key = {"lineitem": "l_orderkey", "residents": "id"}[table]
    rows = connectorx.read_sql(
        url, f"select * from {table}", return_type="arrow", partition_on=key, partition_num=2
    )
    write(ipc, rows.to_reader(), directory)


def duckdb(url, table, directory):
    import duckdb as database

    connection = database.connect(config={"threads": 2})
    connection.execute("load postgres")
    yield
    connection.execute(f"attach '{url}' as source (type postgres, read_only)")
    connection.execute(f"copy source.public.{table} to '{directory}/table.parquet' (compression zstd)")


def dlt(url, table, directory):
    os.environ["DLT_DATA_DIR"] = directory
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt as loader
    from dlt.destinations import filesystem
    from dlt.sources.sql_database import sql_table

    yield
    pipeline = loader.pipeline(
        "bench", destination=filesystem(f"file://{directory}/loaded"), pipelines_dir=directory, dataset_name="bench"
    )
    source = sql_table(url.replace("postgres://", "postgresql+psycopg2://"), table=table, backend="pyarrow", chunk_size=65536)
    pipeline.run(source, loader_file_format="parquet")


def write(ipc, reader, directory):
    options = ipc.IpcWriteOptions(compression="zstd")
    with ipc.new_file(f"{directory}/table.arrow", reader.schema, options=options) as file:
        for batch in reader:
            file.write_batch(batch)


def main():
    peer, url, table, directory = sys.argv[1:]
    steps = globals()[peer](url, table, directory)
    next(steps)
    started = time.perf_counter()
    next(steps, None)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peakMb": peak}))


main()
