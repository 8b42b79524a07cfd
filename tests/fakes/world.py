"""A small company in memory: five stores over three hops, Ada who asks, Bob who must not notice."""

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
from rightful.model import (
    Accounts,
    Controller,
    DataMap,
    Erasure,
    Field,
    Identity,
    Locator,
    RequestPolicy,
    Retention,
    Store,
    Strategy,
    Topic,
)
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

ADA, BOB = "ada@example.org", "bob@example.org"


def forever() -> float:
    """Time enough."""
    return 1e9


def store(title: str, erasure: Erasure, *locate: Locator, sweep: Retention | None = None, **more: Any) -> Store:
    return Store(
        title=title,
        connector="memory",
        purpose="tests",
        lawful_basis="contract",
        retention=sweep or Retention(period="P1Y", since="used_at"),
        erasure=erasure,
        locate=list(locate),
        **more,
    )


def by(identity: str, attribute: str | None = None, **gives: str) -> Locator:
    return Locator(by=identity, through={"attribute": attribute or identity}, gives=gives)


def small_map(**requests: RequestPolicy) -> DataMap:
    delete = Erasure(action="delete")
    text = {name: Field(category="user") for name in ("id", "email", "account_id", "customer_id", "note")}
    return DataMap(
        version="test-1",
        controller=Controller(
            name="Example", contact="dpo@example.org", policy_url="https://example.org/p", complaint="CNIL, Paris"
        ),
        identities={
            "email": Identity(category="user.contact.email", form="email", proven_by="code", claim="email"),
            "account_id": Identity(category="user.account", claim="sub"),
            "customer_id": Identity(category="user.unique_id"),
        },
        stores={
            "accounts": store("Account", delete, by("email", account_id="account_id"), by("account_id"), fields=text),
            "subscriptions": store("Subscriptions", delete, by("account_id", customer_id="customer_id"), fields=text),
            "invoices": store(
                "Invoices",
                Erasure(action="keep", ground="accounting", law="a law", period="P7Y", since="issued_at"),
                by("customer_id"),
                by("email"),
                fields=text | {"issued_at": Field(category="user")},
            ),
            "surveys": store(
                "Surveys",
                Erasure(
                    action="anonymise", fields={"email": Strategy(strategy="hmac"), "note": Strategy(strategy="null")}
                ),
                by("email"),
                fields=text,
            ),
            "contacts": store(
                "Shared contacts",
                delete,
                by("account_id"),
                by("email"),
                fields=text
                | {
                    "account_id": Field(category="user.account", about="account_id"),
                    "email": Field(category="user.contact.email", about="email"),
                },
            ),
            "usage": Store(
                title="Usage",
                connector="planned",
                purpose="tests",
                lawful_basis="consent",
                retention=Retention(period="P1Y", since="day"),
                erasure=delete,
            ),
        },
        requests=requests or {},  # type: ignore[arg-type] # the names are request types
        topics={
            "newsletter": Topic(title="Newsletter", text="News, about once a month.", kind="optional"),
            "product_feedback": Topic(title="Questions", text="How you like it.", kind="optional"),
            "announcements": Topic(title="Announcements", text="New features.", kind="optional"),
            "service": Topic(title="Your account", text="What your account needs.", kind="mandatory"),
            "rewards": Topic(
                title="Rewards", text="That a reward is ready.", kind="mandatory", contacts_in=["contacts"]
            ),
        },
        accounts=Accounts(store="accounts", email="email"),
        translations={"fr": {"News, about once a month.": "Des nouvelles, une fois par mois."}},
    )


def small_stores() -> dict[str, MemoryStore]:
    return {
        "accounts": MemoryStore(
            [
                {"id": "a1", "email": ADA, "account_id": "acct-1", "note": "Ada's"},
                {"id": "a2", "email": BOB, "account_id": "acct-10", "note": "Bob's"},
            ]
        ),
        "subscriptions": MemoryStore(
            [
                {"id": "s1", "account_id": "acct-1", "customer_id": "cus-1"},
                {"id": "s2", "account_id": "acct-1", "customer_id": "cus-2"},
                {"id": "s3", "account_id": "acct-10", "customer_id": "cus-10"},
            ]
        ),
        "invoices": MemoryStore(
            [
                {"id": "i1", "customer_id": "cus-1", "email": ADA, "issued_at": "2026-01-05"},
                {"id": "i2", "customer_id": "cus-2", "email": "books@example.org", "issued_at": "2012-02-29"},
                {"id": "i3", "customer_id": "cus-2", "email": ADA, "issued_at": "not a date"},
                {"id": "i4", "customer_id": "cus-10", "email": BOB, "issued_at": "2012-02-29"},
            ]
        ),
        "surveys": MemoryStore(
            [
                {"id": "v1", "email": ADA, "note": "I like it", "score": 5},
                {"id": "v2", "email": BOB, "note": "me too", "score": 4},
            ]
        ),
        "contacts": MemoryStore(
            [
                {"id": "c1", "account_id": "acct-1", "email": BOB},
                {"id": "c2", "account_id": "acct-10", "email": ADA},
                {"id": "c3", "account_id": "acct-10", "email": "eve@example.org"},
            ]
        ),
    }


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
        accounts={named: sweepers[named]} if named else {},
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
