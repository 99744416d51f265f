"""`python -m website [FOLDER]`: build the documentation site into a folder, which is replaced; exit code 1 for any warning."""

import sys
from pathlib import Path

from website.build import BuildError, build

if __name__ == "__main__":
    try:
        build(Path(*sys.argv[1:2] or ["build/site"]))
    except BuildError as error:
        sys.exit(f"the documentation site was not built:\n{error}")
