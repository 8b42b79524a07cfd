"""The whole product in memory, over the small company: every port is a fake, and the workflows are the real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.announce import app as announce
from functions.assess import app as assess
from functions.decide import app as decide
from functions.hold import app as hold
from functions.look import app as look
from functions.overview import app as overview
from functions.publish import app as publish
from functions.reschedule import app as reschedule
from functions.submit import app as submit
from rightful.clocks import stamp
from rightful.model import DataMap
from rightful.service import (
    asking,
    completing,
    discovering,
    erasing,
    exporting,
    notifying,
    packaging,
    planning,
    protecting,
    requests,
)
from rightful.service.deps import Deps, Settings, TimeLeft
from rightful.service.desk import orders
from rightful.service.sweep import braking, reporting, splitting, sweeping, weighing
from tests.fakes.clock import MovableClock
from tests.fakes.company import ADA, small_map, small_stores
from tests.fakes.events import MemoryEvents
from tests.fakes.evidence import MemoryEvidence
from tests.fakes.executions import MemoryExecutions
from tests.fakes.files import MemoryFiles
from tests.fakes.limits import MemoryLimits
from tests.fakes.mailer import MemoryMailer
from tests.fakes.memory_store import MemoryStore
from tests.fakes.memory_sweeper import MemorySweeper
from tests.fakes.provider import MemoryProvider
from tests.fakes.signer import MemorySigner
from tests.fakes.state_machine import Execution, load
from tests.fakes.table import MemoryTable
from tests.fakes.vault import MemoryVault
from tests.fakes.webhooks import MemoryWebhooks


def forever() -> float:
    """Time enough."""
    return 1e9


@dataclass
class World:
    """Fakes, wired. `time_left` is handed to every step."""

    deps: Deps
    stores: dict[str, MemoryStore]
    clock: MovableClock
    table: MemoryTable
    vault: MemoryVault
    mailer: MemoryMailer
    files: MemoryFiles
    executions: MemoryExecutions
    events: MemoryEvents
    time_left: Callable[[], TimeLeft]
    sweepers: dict[str, MemorySweeper]
    reports: MemoryFiles
    evidence: MemoryEvidence
    signer: MemorySigner
    webhooks: MemoryWebhooks
    provider: MemoryProvider

    def ask_for(self, kind: str, request_id: str = "r1", email: str = ADA, regime: str = "gdpr", **more: Any) -> None:
        """A verified request, as the intake leaves it, with `more` attributes."""
        now = stamp(self.clock())
        contact = b'{"email": "%s", "typed": "%s", "locale": "en"}' % (email.encode(), email.encode())
        self.table.put_new(
            f"REQUEST#{request_id}",
            "REQUEST",
            requests.begun(
                {
                    "request_id": request_id,
                    "type": kind,
                    "status": "in_progress",
                    "person": self.vault.digest("person", email),
                    "regime": regime,
                    "locale": "en",
                    "received_at": now,
                    "verified_at": now,
                    "due_at": "2026-12-02T23:59:59Z",
                    "open": "open",
                    "contact": self.vault.seal(request_id, contact),
                    **more,
                }
            ),
        )
        protecting.guard(self.deps, request_id, person=self.vault.digest("person", email))

    def execution(self, request_id: str = "r1") -> Execution:
        """The workflow of a request, not yet run."""

        def lambdas(step: Callable[..., Any], *names: str) -> Callable[[dict[str, Any]], Any]:
            return lambda event: step(self.deps, *(event[name] for name in names))

        def timed(step: Callable[..., Any], *names: str) -> Callable[[dict[str, Any]], Any]:
            return lambda event: step(self.deps, *(event[name] for name in names), self.time_left())

        return Execution(
            {
                "DiscoverFunctionArn": timed(discovering.step, "request_id"),
                "PlanFunctionArn": lambdas(planning.step, "request_id"),
                "AskFunctionArn": lambdas(asking.ask, "request_id", "task_token", "why", "failed", "problem"),
                "ExportFunctionArn": timed(exporting.step, "request_id", "store"),
                "EraseFunctionArn": timed(erasing.step, "request_id", "store"),
                "NotifyFunctionArn": lambda event: notifying.step(
                    self.deps, event["request_id"], self.time_left(), last=event["last"]
                ),
                "PackageFunctionArn": timed(packaging.step, "request_id"),
                "CompleteFunctionArn": lambdas(completing.step, "request_id"),
            },
            self.clock,
            self.executions,
            load("privacy_request"),
            {"request_id": request_id},
        )

    def sweep(self, mode: str, name: str = "by-hand", **more: Any) -> Execution:
        """A run of the retention sweep, not yet begun. `more`: `stores`, `as_of`, `run_id`."""

        def brake(event: dict[str, Any]) -> dict[str, Any]:
            return reporting.output(braking.ask(self.deps, event["run_id"], event["task_token"]))

        arn = f"arn:aws:states:eu-west-1:123456789012:execution:RetentionSweep:{name}"
        self.executions.alive.add(arn)
        return Execution(
            {
                "SplitFunctionArn": lambda event: splitting.step(
                    self.deps, event["input"], event["execution"], event.get("tries", 0)
                ),
                "SweepFunctionArn": lambda event: sweeping.step(
                    self.deps, event["run_id"], event["stage"], event["store"], event["segment"], self.time_left()
                ),
                "WeighFunctionArn": lambda event: weighing.step(self.deps, event["run_id"], event["applied"]),
                "BrakeFunctionArn": brake,
                "ReportFunctionArn": lambda event: reporting.output(reporting.step(self.deps, event["run_id"])),
            },
            self.clock,
            self.executions,
            load("retention_sweep"),
            {"mode": mode, **more},
            arn=arn,
        )

    def desk(self, order: Any, name: str = "by-hand") -> Execution:
        """An execution of the DPO desk with that input, not yet begun."""

        def handled(act: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
            return lambda event: act(self.deps, event, forever)

        arn = f"arn:aws:states:eu-west-1:123456789012:execution:DpoDesk:{name}"
        return Execution(
            {
                "OrderFunctionArn": lambda event: orders.take(self.deps, event["input"], event["execution"]),
                "LookFunctionArn": handled(look.look),
                "DecideFunctionArn": handled(decide.decide),
                "RescheduleFunctionArn": handled(reschedule.reschedule),
                "HoldFunctionArn": handled(hold.hold),
                "SubmitFunctionArn": handled(submit.submit),
                "AssessFunctionArn": handled(assess.assess),
                "PublishFunctionArn": handled(publish.publish),
                "OverviewFunctionArn": handled(overview.overview),
            },
            self.clock,
            self.executions,
            load("dpo_desk"),
            order,
            arn=arn,
        )

    def policy_notice(self, version: str, name: str = "by-hand") -> Execution:
        """An execution that tells everyone with an account of this version, not yet begun."""
        return Execution(
            {"AnnounceFunctionArn": lambda event: announce.announce(self.deps, event, self.time_left())},
            self.clock,
            self.executions,
            load("policy_notice"),
            {"version": version},
            arn=f"arn:aws:states:eu-west-1:123456789012:execution:PolicyNotice:{name}",
        )

    def ask_desk(self, action: str, name: str = "", **order: Any) -> dict[str, Any]:
        """What the desk answers."""
        name = name or f"{action}-{len(self.table.calls)}"
        answer: dict[str, Any] = self.desk({"action": action, **order}, name).run().value
        return answer

    def request(self, request_id: str = "r1") -> dict[str, Any]:
        item = self.table.get(f"REQUEST#{request_id}", "REQUEST")
        assert item is not None
        return item

    def contents(self) -> dict[str, list[dict[str, Any]]]:
        return {name: store.items for name, store in self.stores.items()}


def make_world(
    datamap: DataMap | None = None,
    stores: dict[str, MemoryStore] | None = None,
    time_left: Callable[[], TimeLeft] = lambda: forever,
) -> World:
    clock = MovableClock()
    table, vault, mailer, files = MemoryTable(clock), MemoryVault(clock=clock), MemoryMailer(), MemoryFiles()
    executions, events = MemoryExecutions(), MemoryEvents()
    stores = small_stores() if stores is None else stores
    datamap = datamap or small_map()
    for name in stores.keys() & datamap.stores.keys():
        stores[name].locate = datamap.stores[name].locate
    sweepers = {name: MemorySweeper(stores[name], rules) for name, rules in datamap.stores.items() if name in stores}
    named = datamap.accounts.store
    reports, evidence, signer, webhooks = MemoryFiles(), MemoryEvidence(), MemorySigner(), MemoryWebhooks()
    provider = MemoryProvider()
    deps = Deps(
        clock=clock,
        table=table,
        vault=vault,
        mailer=mailer,
        webhooks=webhooks,
        provider=provider,
        files=files,
        executions=executions,
        events=events,
        limits=MemoryLimits(clock),
        connectors=stores,
        datamap=datamap,
        sweepers=sweepers,
        accounts={named: sweepers[named]} if named in sweepers else {},
        reports=reports,
        evidence=evidence,
        signer=signer,
        settings=Settings(stage="local", retention_mode="apply"),
    )
    return World(
        deps=deps,
        stores=stores,
        clock=clock,
        table=table,
        vault=vault,
        mailer=mailer,
        files=files,
        executions=executions,
        events=events,
        time_left=time_left,
        sweepers=sweepers,
        reports=reports,
        evidence=evidence,
        signer=signer,
        webhooks=webhooks,
        provider=provider,
    )
