from tests.experiment.small import experiment, fake_simulator  # noqa: F401
