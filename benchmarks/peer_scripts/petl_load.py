"""petl: rows judged by constraints, the good ones appended; petl_load.py FILE."""

import datetime as dt
import os
import re
import sys

import petl
import sqlalchemy as sa

NAME = re.compile(r"[^\W\d_][\w .'\u2019-]{0,79}")
EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)+")
KEY = ("First name", "Last name", "Date of birth")
CONSTRAINTS = [
    {"name": "first", "field": "First name", "assertion": NAME.fullmatch},
    {"name": "last", "field": "Last name", "assertion": NAME.fullmatch},
    {"name": "born", "field": "Date of birth", "test": lambda text: date(text)},
    {"name": "email", "field": "Email", "assertion": EMAIL.fullmatch},
]


def date(text):
    """Return the date that the text means."""
    month, day, year = text.split("/")
    return dt.date(int(year), int(month), int(day))


def main():
    """Validate, take out the rows with problems and twins, and append the rest."""
    rows = petl.fromcsv(sys.argv[1], encoding="utf-8-sig").cache()
    problems = set(petl.validate(rows, constraints=CONSTRAINTS).values("row"))
    numbered = petl.addrownumbers(rows)
    good = petl.selectnotin(numbered, "row", problems).cutout("row")
    good = petl.convert(petl.distinct(good, KEY), "Date of birth", date)
    engine = sa.create_engine(os.environ["PEER_DATABASE_URL"])
    with engine.begin() as conn:
        conn.exec_driver_sql(
            'CREATE TABLE peer_petl ("First name" text, "Last name" text,'
            ' "Date of birth" date, "Email" text,'
            ' UNIQUE ("First name", "Last name", "Date of birth"))'
        )
        petl.appenddb(good, conn.connection.dbapi_connection, "peer_petl")
    engine.dispose()


if __name__ == "__main__":
    main()
