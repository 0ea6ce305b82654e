"""Cases: what is asked and what a good reply holds. JSON lines beside this file; the contract is in evals/README.md."""

from evals.cases.case import CATEGORIES, Case, CasesError, Planted
from evals.cases.lockbox import LOCKBOX, Looks, lockbox_cases, log_look, looks
from evals.cases.read import OPEN_FILES, open_cases, read_cases

__all__ = [
    "CATEGORIES",
    "LOCKBOX",
    "OPEN_FILES",
    "Case",
    "CasesError",
    "Looks",
    "Planted",
    "lockbox_cases",
    "log_look",
    "looks",
    "open_cases",
    "read_cases",
]
