"""Django's settings as a module, for mypy; without a database and with a random key.

Processes that serve or migrate call `configuration.set_up` instead.
"""

import secrets

from cvms_pipeline.portal.site import configuration
from cvms_pipeline.settings import loading

CVMS: configuration.Facts

globals().update(
    configuration.describe(
        loading.load(), url="postgresql:///none", key=secrets.token_hex(32)
    )
)
