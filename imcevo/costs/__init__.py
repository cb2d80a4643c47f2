"""Unit costs: what one action costs on given hardware, its areas, rates and leakage. NumPy over designs."""

from imcevo.costs.chip import explain_costs, unit_costs
from imcevo.costs.equation import Term, equation, tracing
from imcevo.costs.scaling import check_voltage
from imcevo.costs.terms import UnitCosts

__all__ = ["Term", "UnitCosts", "check_voltage", "equation", "explain_costs", "tracing", "unit_costs"]
