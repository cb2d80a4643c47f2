from tests.runs.small import experiment, fake_simulator  # noqa: F401
