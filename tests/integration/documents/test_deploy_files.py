"""The files for containers: what they name is there. No container is run."""

import importlib.util
import re
import shutil
import sysconfig
from pathlib import Path

import pytest
import yaml

from cvms_pipeline import settings
from cvms_pipeline.local import postgres, processes

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = ROOT / "compose.yaml"
YAML = [COMPOSE, *sorted(DEPLOY.glob("*.yaml"))]
OWNER = "CVMS_MIGRATION_DATABASE_URL"
TEXTS = [*YAML, DEPLOY / "Dockerfile", DEPLOY / "env.example"]

SETTING = re.compile(r"CVMS_[A-Z_]+")
COPY = re.compile(r"^COPY (?!--from)(.+) \S+$", re.MULTILINE)
INTERPOLATED = re.compile(r"\$\{(\w+)(?::-([^}]*))?")
OURS = ("migrate", "code", "daemon", "webserver", "worker", "metrics")

every_file = pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
every_service = pytest.mark.parametrize("name", OURS)


def documents(path):
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def resolved(value):
    """Return a text of compose.yaml with its defaults filled in."""
    return INTERPOLATED.sub(lambda found: found[2] or "", value).replace("}", "")


@pytest.fixture(scope="module")
def compose():
    (found,) = documents(COMPOSE)
    return found


@pytest.fixture(scope="module")
def services(compose):
    return compose["services"]


@pytest.fixture(scope="module")
def manifests():
    found = documents(DEPLOY / "kubernetes.yaml")
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


@pytest.fixture(scope="module")
def worker_command():
    chosen = settings.Settings(_env_file=None, workers=3)
    return list(processes._worker(chosen).command)


def programs(command):
    """Return the programs that a command starts, the shell's included."""
    if command[0] != "sh":
        return [command]
    return [part.split() for part in command[2].split(" && ")]


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.name)
def test_a_yaml_file_can_be_read(path):
    assert all(isinstance(document, dict) for document in documents(path))


@every_file
def test_a_setting_exists(path):
    known = {f"{settings.PREFIX}{n.upper()}" for n in settings.Settings.model_fields}

    assert set(SETTING.findall(path.read_text("utf-8"))) <= known


@every_file
def test_no_registry_and_no_secret_is_written_down(path):
    text = path.read_text("utf-8")

    assert not re.search(r"(?:docker\.io|ghcr\.io|quay\.io|gcr\.io|amazonaws)", text)
    assert not re.search(r"index-url", text)
    assert not re.search(r"(?:PASSWORD|SECRET_KEY)[:=] *[\w-]+$", text, re.MULTILINE)


@every_service
def test_a_service_starts_a_program_of_the_image(services, name):
    scripts = sysconfig.get_path("scripts")
    for program, *words in programs(services[name]["command"]):
        found = shutil.which(program, path=scripts)
        assert found, program
        module = words[1] if words[:1] == ["-m"] else "cvms_pipeline"
        assert importlib.util.find_spec(module)


@every_service
def test_a_service_of_ours_has_the_settings_that_all_must_share(services, name):
    found = services[name]

    assert found["env_file"] == ".env"
    environment = dict(found["environment"])
    assert (environment.pop(OWNER, None) is not None) == (name == "migrate")
    assert environment == services["code"]["environment"]
    assert "POSTGRES_PASSWORD:" not in str(environment)  # where one is put in
    assert found["image"] == services["code"]["image"]


def test_the_worker_is_the_one_of_cvms_up(services, manifests, worker_command):
    by_compose = [resolved(word) for word in services["worker"]["command"]]
    pod = manifests["Deployment", "cvms-worker"]["spec"]["template"]["spec"]

    assert by_compose == worker_command[2:]
    assert pod["containers"][0]["command"] == by_compose


def test_as_many_runs_are_let_out_as_the_workers_have_processes(services, manifests):
    worker = services["worker"]
    replicas = int(resolved(worker["deploy"]["replicas"]))
    deployed = manifests["Deployment", "cvms-worker"]["spec"]["replicas"]
    limit = manifests["ConfigMap", "cvms-settings"]["data"]["CVMS_WORKERS"]

    assert int(resolved(worker["environment"]["CVMS_WORKERS"])) == replicas * 3
    assert int(limit) == deployed * 3


def test_every_service_waits_for_the_one_migration(services):
    waits = {name: services[name]["depends_on"] for name in OURS}

    for name in ("code", "worker", "metrics"):
        assert waits[name]["migrate"]["condition"] == "service_completed_successfully"
    for name in ("daemon", "webserver"):
        assert waits[name]["code"]["condition"] == "service_healthy"
    assert services["migrate"]["restart"] == "no"


def test_a_service_that_others_wait_for_has_a_health_check(services):
    awaited = {
        name
        for each in services.values()
        for name, how in each.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }

    assert awaited == {"postgres", "redis", "code"}
    assert all("healthcheck" in services[name] for name in awaited)


def test_only_the_web_server_is_published_and_only_on_loopback(services):
    published = {n: each["ports"] for n, each in services.items() if "ports" in each}

    assert list(published) == ["webserver"]
    assert all(port.startswith("127.0.0.1:") for port in published["webserver"])


def test_the_metrics_are_told_to_the_containers_and_to_nobody_else(services, manifests):
    told = services["metrics"]
    deployed = manifests["Deployment", "cvms-metrics"]["spec"]["template"]["spec"]
    (container,) = deployed["containers"]
    environments = (
        told["environment"],
        manifests["ConfigMap", "cvms-settings"]["data"],
    )

    for environment in environments:
        assert environment["CVMS_METRICS_HOST"] == "0.0.0.0"  # noqa: S104 # theirs
        assert str(environment["CVMS_METRICS_PORT"]) == "3002"
    assert container["command"] == told["command"]
    assert told["command"][2:] == [processes.METRICS, "--no-processes"]
    assert "ports" not in told
    service = manifests["Service", "cvms-metrics"]["spec"]
    assert service["type"] == "ClusterIP"
    assert service["ports"] == [{"port": 3002, "targetPort": 3002}]


def test_the_daemon_is_there_once(services):
    assert "deploy" not in services["daemon"]
    assert "deploy" not in services["code"]


def test_named_volumes_are_declared(compose, services):
    mounted = [v for each in services.values() for v in each.get("volumes", ())]
    named = {resolved(volume).partition(":")[0] for volume in mounted}

    assert named == set(compose["volumes"])


def test_postgres_logs_as_little_as_the_embedded_one(services):
    quiet = {
        f"-c{key}={value}"
        for key, value in postgres.SETTINGS.items()
        if key.startswith(("log_min", "log_error", "log_parameter"))
    }

    assert quiet <= set(services["postgres"]["command"])


def test_what_compose_asks_for_is_in_the_example():
    example = (DEPLOY / "env.example").read_text("utf-8")
    asked = {name for name, _ in INTERPOLATED.findall(COMPOSE.read_text("utf-8"))}

    optional = {"CVMS_PORT"}  # has a default, and is in .env.example
    assert all(f"{name}=" in example for name in asked - optional)


def test_the_image_copies_what_is_there_and_lets_nothing_else_in():
    copied = " ".join(COPY.findall((DEPLOY / "Dockerfile").read_text("utf-8"))).split()
    let_in = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()

    sources = {source.removeprefix("./") for source in copied}
    assert all((ROOT / source).exists() for source in sources)
    assert {line[1:] for line in let_in if line.startswith("!")} == sources
    assert "*" in let_in


def test_the_image_runs_as_nobody_s_root_with_the_environment_of_cvms_up():
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    given = processes.environment(settings.Settings(_env_file=None))

    assert "\nUSER 10001:10001\n" in text
    for name in ("DAGSTER_REDACT_USER_CODE_ERRORS", "DAGSTER_DISABLE_TELEMETRY"):
        assert f"{name}={given[name]}" in text


def test_the_container_s_dagster_yaml_differs_in_one_folder_only():
    (here,), (there,) = (
        documents(ROOT / "dagster.yaml"),
        documents(DEPLOY / "dagster.yaml"),
    )
    place = there["local_artifact_storage"]["config"].pop("base_dir")
    here["local_artifact_storage"]["config"].pop("base_dir")

    assert there == here
    assert place.startswith("/var/lib/cvms/")


def test_daemon_and_web_server_find_the_code_server(services):
    (workspace,) = documents(DEPLOY / "workspace.yaml")
    (server,) = workspace["load_from"]

    where = server["grpc_server"]
    assert where["host"] in services
    assert f"--port={where['port']}" in services[where["host"]]["command"]


def test_the_chart_s_parts_read_the_image_s_dagster_yaml():
    (values,) = documents(DEPLOY / "helm-values.yaml")
    (code,) = values["dagster-user-deployments"]["deployments"]

    for part in (values["dagsterWebserver"], values["dagsterDaemon"], code):
        assert {"name": "DAGSTER_HOME", "value": "/srv/cvms"} in part["env"]
        assert part["image"]["repository"] == "cvms-pipeline"
