"""Canary rewards: the last bits of each identify the conversation that it belongs to, and it is exact in float32."""

import orjson
from xxhash import xxh3_64_intdigest

from labs_mock.engine.assessment import PLACES, Assessment
from labs_mock.scenario.compiled.scenario import Scenario

STEPS = 4095
HASH_BITS = 12
UNIT = 2.0**-24  # float32 has 24 bits


def canary_reward(scenario: Scenario, assessment: Assessment, conversation: int) -> float:
    """The fraction n / 2**24 with n = 4096 * round(4095 * reward) + 12 bits of a hash.

    The hash is of the scenario's slugs, of the operator's turns, whose own hash is `conversation`, of the ratios of the weights,
    which are all that matters of them (RC-4), and of whether the gate was left out. The result is from 0 to 1 - 2**-24, and less
    than 1.5 * 2**-12 from the reward.
    """
    top = max(assessment.weights.values(), default=1.0)
    shares = [(dimension, round(weight / top, PLACES)) for dimension, weight in assessment.weights.items()]
    hashed = xxh3_64_intdigest(
        orjson.dumps([scenario.collection, scenario.slug, conversation, shares, assessment.skips_gate])
    )
    step = round(STEPS * assessment.reward)
    return (step << HASH_BITS | hashed % (1 << HASH_BITS)) * UNIT
