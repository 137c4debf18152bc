"""Tools for finished files; one module a command of `python -m trainer`."""
