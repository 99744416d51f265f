"""All benchmarks, one line each; with a commit as argument, this tree against that one."""

import sys

from benchmarks import age, base, evaluate, export, plugin, startup
from benchmarks.servers import pin_load

if __name__ == "__main__":
    pin_load()
    if sys.argv[1:]:
        base.main(sys.argv[1])
    else:
        for benchmark in (startup, plugin, evaluate, age, export):
            benchmark.main()
