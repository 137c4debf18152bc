"""Our own HTTP interface, one file a subject, each with `router(site) -> APIRouter`.

Who may come in is decided in guard.py.
"""
