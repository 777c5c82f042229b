"""Stores whose admission the storages' contract catches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from contract.mutants.base import BrokenStore
from contract.mutants.flow import Hoarding
from jobcore.memory.rows import JobRow
from jobcore.memory.waiting_room import WaitingRoom
from jobcore.models import Pause, PauseKind
from jobcore.policies.admission import Standing
from jobcore.ports.admission import AdmissionRound, AdmissionView
from jobcore.ports.clock import Clock


class _RoomMutant(BrokenStore):
    room: type[WaitingRoom] = WaitingRoom

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.tables.waiting_room = self.room()


class AdmitsNobody(BrokenStore):
    caught_by = "test_a_job_with_a_gate_waits_until_it_is_admitted"

    async def admit(self, beyond: str = "", *, thorough: bool = False) -> AdmissionRound | None:
        return AdmissionRound(admitted=0, reached=None, more=False, next_in=None)


class _Forgetful(WaitingRoom):
    def standing(self, now: datetime, hands: int) -> Standing:
        return replace(super().standing(now, hands), held={})


class ForgetsWhoIsThere(_RoomMutant):
    caught_by = "test_no_more_jobs_are_admitted_than_a_gate_has_places"
    room = _Forgetful


class KeepsThePlacesOfTheEnded(_RoomMutant):
    caught_by = "test_a_job_that_has_ended_gives_its_place_to_the_next"
    room = Hoarding


class TellsNoHolders(BrokenStore):
    caught_by = "test_a_waiting_job_is_told_who_holds_the_places_and_how_many_go_first"

    async def explain_admission(self, tenant: UUID, job_id: UUID) -> AdmissionView | None:
        view = await super().explain_admission(tenant, job_id)
        return view and replace(view, gates=[replace(gate, holders=[]) for gate in view.gates])


class CountsItsOwnTenantOnly(BrokenStore):
    caught_by = "test_a_waiting_job_is_told_who_holds_the_places_and_how_many_go_first"

    async def explain_admission(self, tenant: UUID, job_id: UUID) -> AdmissionView | None:
        view = await super().explain_admission(tenant, job_id)
        return view and replace(view, ahead=view.ahead_of_tenant)


class _Generous(WaitingRoom):
    def spend(self, levels: dict[str, float], now: datetime) -> None:
        return None


class KeepsTheTokens(_RoomMutant):
    caught_by = "test_a_rate_lets_its_burst_pass_and_tells_what_is_left"
    room = _Generous


class WaitsForNobody(BrokenStore):
    caught_by = "test_a_job_is_admitted_when_those_before_it_have_completed"

    async def admit(self, beyond: str = "", *, thorough: bool = False) -> AdmissionRound | None:
        for row in self.tables.waiting_room.waiting():
            row.parents = {}
        return await super().admit(beyond, thorough=thorough)


class TellsNoParents(BrokenStore):
    caught_by = "test_a_job_is_admitted_when_those_before_it_have_completed"

    async def explain_admission(self, tenant: UUID, job_id: UUID) -> AdmissionView | None:
        view = await super().explain_admission(tenant, job_id)
        return view and replace(view, awaited=0, parents=())


class SeesNoDeadEnd(BrokenStore):
    caught_by = "test_a_failure_cancels_those_after_it_or_lets_them_run_or_wait"

    async def explain_admission(self, tenant: UUID, job_id: UUID) -> AdmissionView | None:
        view = await super().explain_admission(tenant, job_id)
        return view and replace(view, parents=[replace(parent, status=None) for parent in view.parents])


class _Hasty(WaitingRoom):
    def _is_ready(self, row: JobRow, now: datetime) -> bool:
        return not row.parents and not self.is_paused(row)


class AdmitsBeforeTheTime(_RoomMutant):
    caught_by = "test_a_job_is_not_admitted_before_its_time"
    room = _Hasty


class ListsNoPauses(BrokenStore):
    caught_by = "test_what_is_paused_is_listed_and_admitted_only_when_the_pause_is_over"

    async def pauses(self) -> Sequence[Pause]:
        return []


class ResumesOnce(BrokenStore):
    caught_by = "test_what_is_paused_is_listed_and_admitted_only_when_the_pause_is_over"

    async def resume(self, kind: PauseKind, name: str) -> bool:
        await super().resume(kind, name)
        return True


class _Deaf(WaitingRoom):
    def is_paused(self, row: JobRow) -> bool:
        return False


class AdmitsWhatIsPaused(_RoomMutant):
    caught_by = "test_what_is_paused_is_listed_and_admitted_only_when_the_pause_is_over"
    room = _Deaf


class TellsOfOtherTenants(BrokenStore):
    caught_by = "test_nothing_is_told_of_a_job_that_was_only_recorded_or_is_another_tenants"

    async def explain_admission(self, tenant: UUID, job_id: UUID) -> AdmissionView | None:
        owner = next((owner for owner, known in self.tables.jobs if known == job_id), tenant)
        return await super().explain_admission(owner, job_id)
