"""The keys of removed people (`removed:<id>`) are those of no valid name."""

import sys
import unicodedata

import pandas as pd

from cvms_pipeline.domain.text import normalise
from cvms_pipeline.domain.validation import rules


def test_no_character_that_a_name_may_have_becomes_a_colon_in_its_match_key():
    characters = map(chr, range(sys.maxunicode + 1))
    colons = [c for c in characters if ":" in unicodedata.normalize("NFKC", c)]
    names = pd.Series([f"a{colon}a" for colon in colons])

    assert len(names) > 3  # the plain one, and wide, small and doubled ones
    assert normalise.make_match_keys(names).str.contains(":").all()
    assert rules.is_invalid_name(names).all()
