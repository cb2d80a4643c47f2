"""Experiments: how a problem is searched, and the run folders that come of it."""

from imcevo.experiment.config import Experiment, RunSpec, load_experiment
from imcevo.experiment.journal import Status
from imcevo.experiment.runs import resume_run, run_experiment
from imcevo.experiment.session import Session

__all__ = ["Experiment", "RunSpec", "Session", "Status", "load_experiment", "resume_run", "run_experiment"]
