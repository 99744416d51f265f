"""How thorough a run is."""

from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, Verbosity, settings


@dataclass(frozen=True, slots=True)
class Profile:
    """Examples a check, executions after the first failure, scenarios at most, and steps of the state machine in an example."""

    name: str
    examples: int
    shrinks: int
    scenarios: int
    steps: int

    @property
    def settings(self) -> settings:
        """For Hypothesis: nothing is printed or stored."""
        return settings(
            max_examples=self.examples,
            stateful_step_count=self.steps,
            deadline=None,
            database=None,
            derandomize=False,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            report_multiple_bugs=False,
            print_blob=False,
        )


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("quick", 10, 30, 5, 20),
        Profile("standard", 100, 200, 12, 40),
        Profile("thorough", 500, 500, 100, 50),
    )
}
