"""The files for containers: everything that they name exists. No container is run."""

import importlib.util
import re
import shutil
import sysconfig
from pathlib import Path

import pytest
import yaml

from cvms_pipeline.local import processes
from cvms_pipeline.local.postgres import embedded
from cvms_pipeline.settings import loading

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = ROOT / "compose.yaml"
YAML = [COMPOSE, *sorted(DEPLOY.glob("*.yaml"))]
OWNER = "CVMS_MIGRATION_DATABASE_URL"
TEXTS = [*YAML, DEPLOY / "Dockerfile", DEPLOY / "env.example"]

SETTING = re.compile(r"CVMS_[A-Z_]+")
COPY = re.compile(r"^COPY (?!--from)(.+) \S+$", re.MULTILINE)
INTERPOLATED = re.compile(r"\$\{(\w+)(?::-([^}]*))?")
OURS = ("migrate", "code", "daemon", "webserver", "worker", "metrics", "portal")

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
def worker_command(tmp_path_factory):
    chosen = loading.load(home=tmp_path_factory.mktemp("home"), workers=3)
    return list(processes._describe_worker(chosen).command)


def programs(command):
    """Return the programs that a command starts, the shell's included."""
    if command[0] != "sh":
        return [command]
    return [part.split() for part in command[2].split(" && ")]


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.name)
def test_every_yaml_file_can_be_parsed(path):
    assert all(isinstance(document, dict) for document in documents(path))


@every_file
def test_a_setting_exists(path):
    known = set(loading.get_all_variables())

    assert set(SETTING.findall(path.read_text("utf-8"))) <= known


@every_file
def test_no_registry_and_no_secret_is_in_the_files(path):
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
def test_each_service_has_the_settings_that_all_must_share(services, name):
    found = services[name]

    assert found["env_file"] == ".env"
    environment = dict(found["environment"])
    assert (environment.pop(OWNER, None) is not None) == (name == "migrate")
    assert environment == services["code"]["environment"]
    assert "POSTGRES_PASSWORD:" not in str(environment)  # where one is put in
    assert found["image"] == services["code"]["image"]


def test_the_worker_runs_the_command_of_cvms_up(services, manifests, worker_command):
    by_compose = [resolved(word) for word in services["worker"]["command"]]
    pod = manifests["Deployment", "cvms-worker"]["spec"]["template"]["spec"]

    assert by_compose == ["python", *worker_command[1:]]
    assert pod["containers"][0]["command"] == by_compose


def test_the_queue_starts_as_many_runs_as_the_workers_have_processes(
    services, manifests
):
    worker = services["worker"]
    replicas = int(resolved(worker["deploy"]["replicas"]))
    deployed = manifests["Deployment", "cvms-worker"]["spec"]["replicas"]
    limit = manifests["ConfigMap", "cvms-settings"]["data"]["CVMS_WORKERS"]

    assert int(resolved(worker["environment"]["CVMS_WORKERS"])) == replicas * 3
    assert int(limit) == deployed * 3


def test_the_web_server_is_the_one_of_cvms_up_under_every_name(services):
    (values,) = documents(DEPLOY / "helm-values.yaml")
    image = (DEPLOY / "Dockerfile").read_text("utf-8")
    probe = values["dagsterWebserver"]["readinessProbe"]["httpGet"]

    assert services["webserver"]["command"][:3] == [
        "python",
        "-m",
        processes.WEB_SERVER,
    ]
    # Dagster's chart starts `dagster-webserver`, and asks a pod by its address.
    assert f"{processes.WEB_SERVER} > /opt/cvms/bin/dagster-webserver\n" in image
    assert {"name": "Host", "value": "localhost"} in probe["httpHeaders"]


def test_every_service_waits_for_the_one_migration(services):
    waits = {name: services[name]["depends_on"] for name in OURS}

    for name in ("code", "worker", "metrics", "portal"):
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


def test_only_what_people_open_is_published_and_only_on_loopback(services):
    published = {n: each["ports"] for n, each in services.items() if "ports" in each}

    assert list(published) == ["webserver", "portal"]
    assert all(
        port.startswith("127.0.0.1:") for ports in published.values() for port in ports
    )


def test_the_portal_runs_alike_in_compose_and_kubernetes(services, manifests):
    deployed = manifests["Deployment", "cvms-portal"]["spec"]["template"]["spec"]
    (container,) = deployed["containers"]
    probe = container["readinessProbe"]["httpGet"]

    assert container["command"] == services["portal"]["command"]
    assert container["command"][2:] == [processes.PORTAL]
    assert {"name": "Host", "value": "localhost"} in probe["httpHeaders"]
    # For a service cvms-portal, Kubernetes would set CVMS_PORTAL_PORT=tcp://...
    services_of_ours = {name for kind, name in manifests if kind == "Service"}
    assert services_of_ours == {"cvms-metrics", "cvms-web"}


def test_the_metrics_can_be_read_only_inside_the_containers_network(
    services, manifests
):
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
    assert told["command"][2:] == ["cvms_pipeline.local.metrics", "--no-processes"]
    assert "ports" not in told
    service = manifests["Service", "cvms-metrics"]["spec"]
    assert service["type"] == "ClusterIP"
    assert service["ports"] == [{"port": 3002, "targetPort": 3002}]


def test_redis_is_reached_with_its_password_and_gets_it_on_no_command_line(services):
    server = services["redis"]
    asked = "${REDIS_PASSWORD:?see deploy/env.example}"

    assert server["environment"] == {"REDISCLI_AUTH": asked}
    assert "REDIS_PASSWORD" not in str(server["command"])
    for name in ("CVMS_BROKER_URL", "CVMS_RESULT_BACKEND_URL"):
        url = services["worker"]["environment"][name]
        assert url.startswith(f"redis://:{asked}@redis:6379/")


def test_only_daemon_and_web_server_reach_the_code_server(manifests):
    policy = manifests["NetworkPolicy", "cvms-code"]["spec"]
    (values,) = documents(DEPLOY / "helm-values.yaml")
    (code,) = values["dagster-user-deployments"]["deployments"]
    (rule,) = policy["ingress"]

    assert policy["policyTypes"] == ["Ingress"]
    assert policy["podSelector"]["matchLabels"]["deployment"] == code["name"]
    assert [each["podSelector"]["matchLabels"] for each in rule["from"]] == [
        {"component": "dagster-webserver"},
        {"component": "dagster-daemon"},
    ]
    assert rule["ports"] == [{"protocol": "TCP", "port": code["port"]}]


def test_there_is_exactly_one_daemon(services):
    assert "deploy" not in services["daemon"]
    assert "deploy" not in services["code"]


def test_named_volumes_are_declared(compose, services):
    mounted = [v for each in services.values() for v in each.get("volumes", ())]
    named = {resolved(volume).partition(":")[0] for volume in mounted}

    assert named == set(compose["volumes"])


def test_postgres_logs_as_little_as_the_embedded_one(services):
    quiet = {
        f"-c{key}={value}"
        for key, value in embedded.SETTINGS.items()
        if key.startswith(("log_min", "log_error", "log_parameter"))
    }

    assert quiet <= set(services["postgres"]["command"])


def test_every_variable_of_compose_is_in_the_example():
    example = (DEPLOY / "env.example").read_text("utf-8")
    asked = {name for name, _ in INTERPOLATED.findall(COMPOSE.read_text("utf-8"))}

    optional = {"CVMS_PORT"}  # has a default, and is in .env.example
    assert all(f"{name}=" in example for name in asked - optional)


def test_the_image_copies_existing_files_and_ignores_the_others():
    copied = " ".join(COPY.findall((DEPLOY / "Dockerfile").read_text("utf-8"))).split()
    let_in = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()

    sources = {source.removeprefix("./") for source in copied}
    assert all((ROOT / source).exists() for source in sources)
    assert {line[1:] for line in let_in if line.startswith("!")} == sources
    assert "*" in let_in


def test_every_image_of_others_is_named_with_its_digest_by_who_builds(services):
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    example = (DEPLOY / "env.example").read_text("utf-8")
    others = {each["image"] for each in services.values()} - {services["code"]["image"]}

    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${PYTHON_IMAGE}"] * 2
    assert "\nARG PYTHON_IMAGE\n" in text  # without a default
    assert 'case "${PYTHON_IMAGE}" in *@sha256:*) ;; *)' in text  # or nothing is built
    for name in ("PYTHON", "POSTGRES", "REDIS"):
        assert re.search(rf"^{name}_IMAGE=\S+@sha256:$", example, re.MULTILINE)
    assert all(re.match(r"\$\{\w+_IMAGE:\?", image) for image in others)


def test_the_image_runs_as_an_ordinary_user_with_the_environment_of_cvms_up(tmp_path):
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    given = processes.build_environment(loading.load(home=tmp_path))

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
