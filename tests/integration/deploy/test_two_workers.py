"""Two workers on one archive, as on two machines; one is killed during a run."""

import os
import signal

SLUGS = ("mercy", "hope")
AFTER_THE_FRAMES = {"recipients.upsert_recipients", "error_report", "provider_notice"}


def rows(number):
    people = ("Ann", "Bob", "Cy")
    return [f"{p},Lee{number},1/2/1990,{p}{number}@b.example.org" for p in people]


def test_every_upload_finishes_after_one_of_two_workers_was_killed(cluster):
    one, two = cluster.workers
    for slug in SLUGS:
        cluster.site.add_provider(slug)
    with cluster.locked("cvms.recipients"):
        for n in range(4):
            name = f"staff-{n}.csv"
            cluster.site.drop(rows("abcd"[n]), slug=SLUGS[n % 2], file_name=name)
        uploads = cluster.uploads(4)
        cluster.eventually(lambda: one.work() and two.work())
        cluster.eventually(lambda: cluster.count_waiting() == 2)
        (lost,) = one.work()
        one.kill("worker")

    cluster.eventually(lambda: cluster.statuses() == {"completed"})
    waiting = "SELECT 1 FROM cvms.messages WHERE status = 'waiting'"
    cluster.eventually(lambda: not cluster.site.column(waiting))

    loaded = "SELECT upload_id FROM cvms.recipients ORDER BY 1"
    assert cluster.site.column(loaded) == sorted(uploads * 3)
    told = [message["To"] for message in cluster.mailbox.received]
    assert len(told) == len(set(told)) + 2 == 4 + 4 * 3
    (_, first), (again, second) = cluster.runs(lost)
    assert (first, second) == ("FAILURE", "SUCCESS")
    # All of them, where a busy daemon has left the run to `lost_runs`.
    assert cluster.steps(again) >= AFTER_THE_FRAMES
    assert (one.work(), two.work()) == ([lost], [])


def test_a_busy_worker_does_not_reserve_a_run_that_another_could_begin(cluster):
    one, two = cluster.workers
    for slug in SLUGS:
        cluster.site.add_provider(slug)
    os.killpg(two.running["worker"].pid, signal.SIGSTOP)
    with cluster.locked("cvms.recipients"):
        for n, slug in enumerate(SLUGS):
            cluster.site.drop(rows("ab"[n]), slug=slug, file_name=f"{n}.csv")
        cluster.eventually(lambda: cluster.count_waiting() == 1)
        launched = "SELECT 1 FROM dagster.runs WHERE status IN ('STARTING', 'STARTED')"
        cluster.eventually(lambda: len(cluster.site.column(launched)) == 2)

        os.killpg(two.running["worker"].pid, signal.SIGCONT)

        cluster.eventually(lambda: cluster.count_waiting() == 2)
        assert one.work()
        assert two.work()
