"""The `study:` section: what `tme sensitivity`, `tme robust` and their like ask of an experiment. `tme run` does not read it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from tme.config.base import Count, Days, Model, NotNegative, Num, Positive, Whole, as_tuple, empty

KINDS = ("sensitivity", "robust", "calibrate", "optimise", "cohort")


class Range(Model):
    """From where to where a number is drawn, evenly or evenly in its logarithm, and the group it is counted with.

    Without `low` and `high` it is the number's own range.
    """

    low: Num | None = None
    high: Num | None = None
    scale: Literal["even", "log"] | None = None
    group: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    step: Positive | None = None  # of what is optimised: only low, low + step, ... are tried

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if (self.low is None) != (self.high is None):
            raise PydanticCustomError("value_error", "a range needs both low and high")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise PydanticCustomError("value_error", "the range is turned round: low {low} is not below high {high}", {"low": f"{self.low:g}", "high": f"{self.high:g}"})
        if self.scale == "log" and self.low is not None and self.low <= 0:
            raise PydanticCustomError("value_error", "a range that is even in the logarithm begins above 0")
        return self


def as_range(value: Any) -> Any:
    """[low, high], `own` for the number's own range, or the whole mapping."""
    if value is None or value == "own":
        return {}
    if isinstance(value, list) and len(value) == 2:
        return {"low": value[0], "high": value[1]}
    return value


def as_ranges(value: Any) -> Any:
    """`all`, a key or pattern, a list of them, or a mapping key -> range."""
    if value is None:
        return {"*": {}}
    if isinstance(value, str):
        return {"*" if value == "all" else value: {}}
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return {v: {} for v in value}
    return value


def as_files(value: Any) -> Any:
    """One file where a list is meant."""
    return (value,) if isinstance(value, str) else as_tuple(value)


def as_targets(value: Any) -> Any:
    """An id, a list of ids, or a mapping id -> arm that it is compared with; ids in capitals."""
    value = {value: None} if isinstance(value, str) else value
    value = dict.fromkeys(value) if isinstance(value, list) and all(isinstance(v, str) for v in value) else value
    return {str(k).upper(): v for k, v in value.items()} if isinstance(value, dict) else value


class Repeated(Model):
    """Draws that are simulated with several seeds each, which tells luck from numbers."""

    draws: Annotated[int, Whole, Field(ge=2)] = 100
    seeds: Annotated[int, Whole, Field(ge=2)] = 3


class Given(Model):
    """What an arm must show for a draw to count: a readout on a day (the last asked for), as a multiple of what it was on
    `over_day` unless that is null, from `low` to `high`. It may hold no contrast that the study asks about."""

    arm: str = "control"
    readout: str = "tumour_alive"
    day: Num | None = None
    over_day: Num | None = 0.0
    low: NotNegative
    high: Positive

    @model_validator(mode="after")
    def _ordered(self) -> Given:
        if not self.low < self.high:
            raise PydanticCustomError("value_error", "the band is turned round: low {low} is not below high {high}", {"low": f"{self.low:g}", "high": f"{self.high:g}"})
        return self


class Measured(Model):
    """What an optimisation reads of an arm: a readout on a day, or the `highest` of whole days; or `dose`, all that is given of an agent."""

    arm: str | None = None  # needed only where `ranges` change several
    agent: str | None = None  # whose dose
    day: Num | Literal["highest"] | None = None


class Objective(Measured):
    """What shall become small or large; a readout on the last day unless `day` says another. `worst` is where its hypervolume ends."""

    minimise: Annotated[str, Field(min_length=1)] | None = None
    maximise: Annotated[str, Field(min_length=1)] | None = None
    worst: Num | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Objective:
        if (self.minimise is None) == (self.maximise is None):
            raise PydanticCustomError("value_error", "an objective says either minimise or maximise, with a readout or the word dose")
        return self


class Limit(Measured):
    """What must not be exceeded, or reached; the highest of whole days unless `day` says one."""

    readout: Annotated[str, Field(min_length=1)]
    at_most: Num | None = None
    at_least: Num | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Limit:
        if (self.at_most is None) == (self.at_least is None):
            raise PydanticCustomError("value_error", "a limit says either at_most or at_least")
        return self


def as_objectives(value: Any) -> Any:
    """A readout alone shall become small."""
    return tuple({"minimise": v} if isinstance(v, str) else v for v in value) if isinstance(value, list) else value


def as_limits(value: Any) -> Any:
    """A mapping readout -> the most of it, one limit, or a list of them."""
    if isinstance(value, dict):
        return (value,) if "readout" in value else tuple({"readout": k, "at_most": v} for k, v in value.items())
    return as_tuple(value)


Overrides = Annotated[dict[str, Any], BeforeValidator(empty)]


class Study(Model):
    """What a study asks. What is left out has a default of its command.

    `ranges` keys may hold `*`; `switches`: name -> option -> dotted keys replaced; `cuts`: name -> dotted keys that take a
    route out; `readouts` and `days` are what is kept of each simulation.
    """

    kind: Literal[KINDS] | None = None  # type: ignore[valid-type]
    draws: Annotated[int, Whole, Field(ge=2, le=1_000_000)] | None = None
    seeds: Count | None = None
    readouts: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = ()
    days: Days | None = None
    ranges: Annotated[dict[str, Annotated[Range, BeforeValidator(as_range)]], BeforeValidator(as_ranges)] = Field(default_factory=lambda: {"*": Range()})
    # sensitivity
    method: Literal["morris", "sobol", "both"] | None = None
    trajectories: Annotated[int, Whole, Field(ge=2)] | None = None  # of Morris
    keep: Count | None = None  # groups that Morris hands to Sobol
    # robust
    repeated: Annotated[Repeated, BeforeValidator(empty)] | None = None
    posterior: Annotated[str, Field(min_length=1)] | None = None  # a table of draws (CSV): dotted keys, and `weight` if they are not alike
    given: Annotated[tuple[Given, ...], BeforeValidator(as_tuple)] | None = None
    switches: Annotated[dict[str, Annotated[dict[str, Overrides], Field(min_length=2)]], BeforeValidator(empty)] = Field(default_factory=dict)
    cuts: Annotated[dict[str, Overrides], BeforeValidator(empty)] = Field(default_factory=dict)
    # calibrate
    data: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(as_files)] = ()
    targets: Annotated[dict[str, str | None], BeforeValidator(as_targets)] = Field(default_factory=dict)  # published courses, by id of `tme targets`
    check_days: Days | None = None  # kept out of the fit
    noise: Positive | None = None  # sd of a value that states none, as a share of it
    discrepancy: NotNegative | None = None  # sd allowed to the model itself, as a share of a value
    waves: Annotated[int, Whole, Field(ge=0, le=10)] | None = None
    generations: Annotated[int, Whole, Field(ge=1, le=100)] | None = None
    predictions: Annotated[int, Whole, Field(ge=10)] | None = None
    # cohort
    cohort: Annotated[str, Field(min_length=1)] | None = None  # of the library
    patients: Annotated[int, Whole, Field(ge=2, le=1_000_000)] | None = None
    features: Annotated[tuple[str, ...], BeforeValidator(as_files)] = ()  # readouts of the untreated tumour at the start; `infiltration`
    fold: Annotated[Num, Field(gt=1)] | None = None  # times its volume at the start: the size whose time is told
    benefit: Annotated[Num, Field(gt=0, lt=1)] | None = None  # of the patient's own untreated tumour, or less
    margin: Annotated[Num, Field(ge=0, lt=1)] | None = None  # of the untreated tumour: arms that lie closer to the best do as well
    # optimise
    objectives: Annotated[tuple[Objective, ...], BeforeValidator(as_objectives), Field(min_length=2, max_length=3)] | None = None
    limit: Annotated[tuple[Limit, ...], BeforeValidator(as_limits)] = ()
    generation: Annotated[int, Whole, Field(ge=2, le=1000)] | None = None  # points that are asked for at a time
