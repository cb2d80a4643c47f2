from tests.runs.small import experiment, fake_simulator  # noqa: F401
from tests.study.studies import study  # noqa: F401
