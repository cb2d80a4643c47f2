"""Experiments: how a problem is searched, and the run folders that come of it."""

from imcevo.runs.config import Experiment, RunSpec, load_experiment
from imcevo.runs.launch import resume_run, run_experiment
from imcevo.runs.recorder import Status
from imcevo.runs.search_loop import SearchLoop

__all__ = ["Experiment", "RunSpec", "SearchLoop", "Status", "load_experiment", "resume_run", "run_experiment"]
