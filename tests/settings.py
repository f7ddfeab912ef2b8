"""The settings under test: development's, but without its own limits on how fast a test may talk."""

import os
import tempfile

os.environ.update(
    DEBUG="on",
    RATE_LIMITS="off",
    DATA_DIR=tempfile.mkdtemp(prefix="aleatoria-test-"),
    DATABASE_URL="sqlite://:memory:",
)

from aleatoria.settings import *  # noqa: F403
