"""Which law catches a mutant that all other laws let pass: without one, a law could be left out unnoticed."""

from collections.abc import Callable, Iterable

from lic.testing import LawError
from lic.testing.entropy_laws import another_process_codes_the_same
from lic.testing.laws import Law, Trial, name_of
from lic.testing.plugin import trials_of


def laws_that_alone_catch(
    mutants: Iterable[tuple[Callable, str | None]], trial_of: Callable[[object], Trial] | None = None
) -> set[str]:
    """Returns the laws that break alone for their mutants.

    Args:
      mutants: A function that makes each mutant, and the law that is to catch it; None where no law is.
      trial_of: Returns the laws of a mutant; default: those of the plugin.
    """
    alone = set()
    for make, law in mutants:
        trial = (trial_of or _trial_of)(make())
        # Other processes take long, and what they find is found in this one too, but for the mutant of that law.
        laws = [each for each in trial.laws if each is not another_process_codes_the_same or law == name_of(each)]
        broken = _broken(trial, laws)
        assert law in broken or (law is None and not broken), f"{trial.subject} breaks {broken}, and not {law!r}"
        alone |= broken if len(broken) == 1 else set()
    return alone


def _trial_of(part: object) -> Trial:
    (trial,) = trials_of(part).values()
    return trial


def _broken(trial: Trial, laws: list[Law]) -> set[str]:
    try:
        trial.check(*laws)
    except LawError as error:
        return set(error.broken)
    return set()
