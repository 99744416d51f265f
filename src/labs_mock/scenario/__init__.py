"""The scenario language: files, the rule algebra, and what a file becomes when it is loaded."""
