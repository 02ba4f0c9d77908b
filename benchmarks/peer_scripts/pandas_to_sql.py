"""pandas: masks, then to_sql into a staging table, then one upsert from there.

python pandas_to_sql.py FILE
"""

import os
import sys

import pandas as pd
import sqlalchemy as sa

KEY = ["first_name", "last_name", "date_of_birth"]
NAME = r"[^\W\d_][\w .'\u2019-]{0,79}"
EMAIL = r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+"
TABLE = "first_name text, last_name text, date_of_birth date, email text"


def main():
    """Keep the good rows, and store them."""
    rows = pd.read_csv(
        sys.argv[1], dtype=str, keep_default_na=False, encoding="utf-8-sig"
    )
    rows.columns = [name.lower().replace(" ", "_") for name in rows.columns]
    born = pd.to_datetime(rows["date_of_birth"], format="%m/%d/%Y", errors="coerce")
    is_good = (
        rows["first_name"].str.fullmatch(NAME)
        & rows["last_name"].str.fullmatch(NAME)
        & rows["email"].str.fullmatch(EMAIL)
        & born.notna()
    )
    good = rows.assign(date_of_birth=born.dt.date)[is_good].drop_duplicates(KEY)
    engine = sa.create_engine(os.environ["PEER_DATABASE_URL"])
    with engine.begin() as conn:
        conn.exec_driver_sql(
            f"CREATE TABLE peer_pandas ({TABLE}, UNIQUE ({', '.join(KEY)}))"
        )
        conn.exec_driver_sql(f"CREATE TEMPORARY TABLE staged ({TABLE})")
        good.to_sql(
            "staged",
            conn,
            if_exists="append",
            index=False,
            method="multi",
            chunksize=1000,
        )
        conn.exec_driver_sql(
            "INSERT INTO peer_pandas SELECT * FROM staged ON CONFLICT DO NOTHING"
        )
    engine.dispose()


if __name__ == "__main__":
    main()
