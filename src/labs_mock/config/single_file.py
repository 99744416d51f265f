"""One file checked by itself: with the folder around it where that is one of scenarios, else without what it refers to."""

import os
from pathlib import Path

from labs_mock.config.library import mask_keys, read_server
from labs_mock.errors import Problems
from labs_mock.scenario.files.folder import is_folder
from labs_mock.scenario.files.loader import COLLECTION, DATASETS, SERVER, Check, Loader


def check_file(file: Path, extra_warnings: Check) -> tuple[Loader, Path]:
    """A loader with the problems and warnings of this file alone, and of the rows file that it names; and the path that was checked.

    `server.yaml` and `collection.yaml` have their names, a dataset lies in `datasets`, and all else is a scenario.
    """
    path = file.absolute()
    if ".." in path.parts:  # behind a link it does not lead where the text says, and the last part may be a link itself
        path = path.parent.resolve() / path.name
    server, dataset = path.name == SERVER, path.parent.name == DATASETS
    root = path.parent if server else path.parent.parent
    complete = any(os.path.lexists(entry / COLLECTION) for entry in Loader(root).list_entries(root) if is_folder(entry))
    if not complete:  # a link that is checked by itself may lead anywhere
        path = path.resolve()
        root = path.parent
    loader = Loader(root, extra_warnings, complete)
    if complete and (server or dataset):
        loader.read_collections()
    others = loader.read_datasets(but=path) if complete and (server or dataset) else {}
    loader.problems, loader.warnings = Problems(), Problems()
    if path.suffix != ".yaml":
        loader.add_problem(path, "not a name of a file of scenarios", "expected a name that ends in .yaml")
    elif server:
        read_server(loader, others)
    elif path.name == COLLECTION:
        loader.check_slug(path.parent, path.parent.name)
        loader.read_head(path)
    elif dataset:
        loader.read_dataset(path, others)
    else:
        loader.read_scenario(path)
    mask_keys(loader)
    return loader, path
