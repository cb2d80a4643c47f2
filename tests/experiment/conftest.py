from tests.experiment.small import experiment, fake_simulator  # noqa: F401
from tests.experiment.studies import study  # noqa: F401
