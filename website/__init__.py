"""The documentation site: `python -m website FOLDER` builds it strictly, out of `docs/`, docstrings and the OpenAPI documents.

The sources in `docs/` work on a code host as they stand. What only the site needs stands here: `zensical.toml` with the navigation,
`pages/` with what docstrings are shown on, and the few modules that prepare the rest.
"""
