"""Calls, many at once, through call control as it is: answered, busy, cut; with events that come late, twice or never."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tests.simulation.world import DIALLED, Company, World
from trunkline.callcontrol.protocol import Answered, Ended, Event, Failed
from trunkline.store.models import Profile


@dataclass
class Calls:
    world: World

    def burst(self, company: Company) -> None:
        """Some at the same moment, on one profile."""
        profile = Profile.objects.get(pk=self.world.chance.choice(company.profile_ids))
        for _ in range(self.world.chance.choice((1, 1, 1, 2, 4))):
            self.world.soon(20, lambda: self._call(profile))

    def _call(self, profile: Profile) -> None:
        chance, switch = self.world.chance, self.world.switch
        verdict = switch.ask(switch.table.admit(profile, chance.choice(DIALLED)))
        if verdict is None or not verdict["go"]:
            self.world.counts["calls not admitted"] += 1
            return
        self.world.counts["calls"] += 1
        ref, answered_us = str(verdict["call"]), self.world.now_us + chance.randint(1_000_000, 20_000_000)
        if chance.random() < 0.2:
            self._tell(Failed(answered_us, ref, status=chance.choice((486, 480, 503)), phrase="x", by="callee"))
            return
        length_us = int(chance.expovariate(1 / 150) * 1_000_000)
        self._tell(Answered(answered_us, ref, legs={"call_id": "x"}))
        if chance.random() < 0.98:
            self._tell(Ended(answered_us + length_us, ref, "caller"))

    def _tell(self, event: Event) -> None:
        """When it has happened, or some seconds later; perhaps again."""
        chance = self.world.chance
        lag_us = chance.choice((0, 0, 0, 5_000, 1_500_000))
        for again in range(1 + (chance.random() < 0.05)):
            delay = timedelta(microseconds=event.at - self.world.now_us + lag_us + again * 700_000)
            self.world.plan(self.world.now + delay, lambda: self.world.switch.tell(event))

    def outage(self) -> None:
        """Call control is away for minutes or hours; what happens meanwhile, it reads when it is back."""
        if self.world.switch.away:
            return
        self.world.switch.go_away()
        self.world.counts["outages of call control"] += 1
        self.world.soon(self.world.chance.choice((5, 120, 4_000)), self.world.switch.come_back)
