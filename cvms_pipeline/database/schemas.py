"""The names of the database's schemas, for which nothing has to be imported."""

CVMS = "cvms"
DAGSTER = "dagster"
CELERY = "celery"
PORTAL = "portal"
ALL = (CVMS, DAGSTER, CELERY, PORTAL)
"""Ours, and those in which Dagster, Celery and Django have their tables."""

PORTAL_SESSIONS = ("django_session", "usersessions_usersession", "portal_cache")
"""Tables of the portal that no backup has: a restore revives no log-in."""
