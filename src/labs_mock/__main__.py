"""`python -m labs_mock`."""

from labs_mock.cli.main import main

if __name__ == "__main__":
    main(prog_name="labs-mock")
