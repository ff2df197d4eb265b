"""Part by part: geotally-bench (Google Benchmark)."""

import json
import subprocess

from harness import BIN
from table import printed, scenario


@scenario("parts", 90)
def parts(context):
    """Decode, look-up, tally, commit, exposition, resolve: each alone, on one core."""
    done = subprocess.run([BIN / "geotally-bench", "--benchmark_format=json",
                           f"--benchmark_repetitions={context.repeats}",
                           "--benchmark_min_time=0.2",
                           "--benchmark_filter=-hostile"], capture_output=True, check=True)
    values = {}
    for run in json.loads(done.stdout)["benchmarks"]:
        if run["run_type"] == "iteration":
            each = run.get("items_per_second")
            time_ns = 1e9 / each if each else run["cpu_time"] * \
                {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[run["time_unit"]]
            values.setdefault(run["run_name"], []).append(time_ns)
    return [printed(f"part: {name.replace('_', ' ')}", "ns", times)
            for name, times in values.items()]
