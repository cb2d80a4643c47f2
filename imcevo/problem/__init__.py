"""The scientific question: problem files, objectives, constraints, genomes."""

from imcevo.problem.codesign import CodesignProblem, Evaluation
from imcevo.problem.hypervolume import HypervolumeBox
from imcevo.problem.load import load_problem

__all__ = ["CodesignProblem", "Evaluation", "HypervolumeBox", "load_problem"]
