"""A crash before every single effect of opening a case, and of loading its file."""

import crashing_process
import pytest
from installations import ANN, HEADER

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.use_cases.help_desk import loading, opening, people, reading

# Python 3.12 and later warn of any fork beside a thread; the child starts none.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

RIA, SAM = (
    people.Person(
        account_id=f"7c3f4f7e-5a0b-4a51-9d0e-1d7f3f1f9f1{number}",
        name="Somebody",
        email="somebody@example.org",
        is_staff=bool(number),
    )
    for number in range(2)
)
DATA = "\r\n".join([HEADER, ANN]).encode()
REQUEST = opening.Request(
    kind=cases.Kind.BULK_UPLOAD,
    vfc_pin="VAC2021",
    organisation="Elm Clinic",
    name=RIA.name,
    email=RIA.email,
    file=opening.AttachedFile(file_name="staff.csv", data=DATA),
)


def open_case(site):
    opening.open_case(site.pipeline, REQUEST, by=RIA, key="once")


def load_file(site):
    seen = reading.get_case(site.pipeline, 1001)
    loading.load_file(
        site.pipeline,
        1001,
        seen.files[0].id,
        provider="mercy",
        by=SAM,
        version=seen.version,
    )


def read_cases(site):
    """Return how many cases, whole files, numbers in messages and uploads there are."""
    found = {}

    def read(opened):
        numbers = opened.column("SELECT number FROM cvms.cases")
        seen = [reading.get_case(opened.pipeline, number) for number in numbers]
        files = [
            reading.read_file(opened.pipeline, each.number, file.id, by=SAM).data
            for each in seen
            for file in each.files
        ]
        found["cases"] = (len(seen), files)
        # Every number that is mailed is that of a case.
        mailed = "SELECT details ->> 'case' FROM cvms.messages WHERE kind = 'case'"
        found["mailed"] = [int(number) in numbers for number in opened.column(mailed)]
        found["uploads"] = opened.table(
            "SELECT count(*), min(upload.id) = min(file.upload_id) FROM cvms.uploads"
            " AS upload LEFT JOIN cvms.case_files AS file ON file.upload_id = upload.id"
            " AND file.loaded_at IS NOT NULL WHERE upload.sent_from = 'help_desk'"
        ).to_csv()

    site.do(read)
    return found


def count_effects(again, *steps):
    with again() as site:
        site.do(*steps[:-1])
        return crashing_process.run(lambda: site.do(steps[-1]), die_before=None)[1]


def test_a_number_that_is_mailed_is_that_of_a_case_with_its_file_after_any_death(again):
    effects = count_effects(again, open_case)
    assert {"open", "replace", "commit"} <= set(effects)

    outcomes = []
    for number, effect in enumerate(effects):
        where = f"before effect {number}: {effect}"
        with again() as site:
            died, _ = crashing_process.run(
                lambda s=site: s.do(open_case), die_before=number
            )
            assert died, where
            left = read_cases(site)
            site.do(open_case)
            whole = read_cases(site)
        assert left["cases"] in ((0, []), (1, [DATA])), where
        assert left["mailed"] == [True] * left["cases"][0], where
        assert whole["cases"] == (1, [DATA]), where
        assert whole["mailed"] == [True], where
        outcomes.append(left["cases"][0])
    assert outcomes == sorted(outcomes)  # one transaction decides


def test_a_file_whose_loading_died_at_any_effect_is_loaded_once_by_loading_it_again(
    again,
):
    effects = count_effects(again, open_case, load_file)
    with again() as site:
        site.do(open_case, load_file)
        end = read_cases(site)

    for number, effect in enumerate(effects):
        with again() as site:
            site.do(open_case)
            crashing_process.run(lambda s=site: s.do(load_file), die_before=number)
            site.do(load_file)
            assert read_cases(site) == end, f"before effect {number}: {effect}"
