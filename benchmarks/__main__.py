"""All benchmarks, one line each."""

from benchmarks import age, evaluate, export, plugin, startup
from benchmarks.servers import pin_load

if __name__ == "__main__":
    pin_load()
    for benchmark in (startup, plugin, evaluate, age, export):
        benchmark.main()
