"""`python -m website [FOLDER]`: build the documentation site into a folder, which is replaced; exit code 1 for any warning."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from website.build import BuildError, build

if __name__ == "__main__":
    parser = ArgumentParser("python -m website", description="Build the documentation site.")
    parser.add_argument("folder", nargs="?", type=Path, default="build/site", help="what is there is replaced")
    try:
        build(parser.parse_args().folder)
    except BuildError as error:
        sys.exit(f"the documentation site was not built:\n{error}")
