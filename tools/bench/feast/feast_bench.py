"""Feast's online reads, for `./perennial bench features`.

Reads commands from stdin, one JSON object a line, and answers each with one:
  {"op": "open", "folder": F, "redis": "host:port,password=...", "features": [name]}  -> {"version": "0.67.0"}
  {"op": "write", "rows": [[user, [value or null]]]}                     -> {"rows": n}
  {"op": "read", "requests": [[user]]}                                   -> {"ms": [duration], "missing": n}
Feast is used as its documentation shows: a feature view with one column a feature, the Redis online store, and
`get_online_features` in the process itself, so that no HTTP is in these figures. `feast_bench.py serve FOLDER PORT`
runs Feast's own feature server over the same store instead.
"""

import json
import math
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import feast
import pandas
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64


class Bench:
    def __init__(self, folder, redis, features):
        self.features = features
        self.names = [f"profile:{name}" for name in features]
        # JSON is YAML. The store's own `write_to_path` writes names that it does not read.
        config = {
            "project": "bench",
            "provider": "local",
            "registry": f"{folder}/registry.db",
            "online_store": {"type": "redis", "connection_string": redis},
            "offline_store": {"type": "file"},
            "entity_key_serialization_version": 3,
        }
        Path(folder, "feature_store.yaml").write_text(json.dumps(config))
        self.store = FeatureStore(repo_path=folder)
        entity = Entity(name="user", join_keys=["user_id"], value_type=ValueType.STRING)
        source = FileSource(path=f"{folder}/none.parquet", timestamp_field="event_timestamp")
        frame = self.to_frame([["nobody", [None] * len(features)]])
        frame.to_parquet(f"{folder}/none.parquet")
        view = FeatureView(
            name="profile",
            entities=[entity],
            ttl=timedelta(days=365),
            schema=[Field(name=name, dtype=Float64) for name in features],
            source=source,
            online=True,
        )
        self.store.apply([entity, view])

    def to_frame(self, rows):
        now = datetime.now(timezone.utc)
        columns = {"user_id": [user for user, _ in rows], "event_timestamp": [now] * len(rows)}
        for place, name in enumerate(self.features):
            column = [math.nan if values[place] is None else values[place] for _, values in rows]
            columns[name] = pandas.Series(column, dtype="float64")
        return pandas.DataFrame(columns)

    def write(self, rows):
        self.store.write_to_online_store("profile", df=self.to_frame(rows))
        return {"rows": len(rows)}

    def read(self, requests):
        durations = []
        missing = 0
        for users in requests:
            entities = [{"user_id": user} for user in users]
            begun = time.perf_counter()
            answer = self.store.get_online_features(features=self.names, entity_rows=entities).to_dict()
            durations.append((time.perf_counter() - begun) * 1000)
            missing += sum(value is None for value in answer[self.features[0]])
        return {"ms": durations, "missing": missing}


def serve(folder, port):
    # No worker is replaced during the run.
    FeatureStore(repo_path=folder).serve("127.0.0.1", port, max_requests=0, max_requests_jitter=0)


def answer_commands():
    bench = None
    for line in sys.stdin:
        command = json.loads(line)
        if command["op"] == "open":
            bench = Bench(command["folder"], command["redis"], command["features"])
            answer = {"version": feast.__version__}
        elif command["op"] == "write":
            answer = bench.write(command["rows"])
        else:
            answer = bench.read(command["requests"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        answer_commands()
