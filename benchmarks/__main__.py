"""All benchmarks, one line each."""

from benchmarks import evaluate, export, startup
from benchmarks.servers import pin_load

if __name__ == "__main__":
    pin_load()
    for benchmark in (startup, evaluate, export):
        benchmark.main()
