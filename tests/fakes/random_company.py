"""Small random companies, for property tests: stores that lead to one another in any way, and people in them; and the
naive way to tell whose a record is."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from rightful.model import Controller, DataMap, Erasure, Identity, Locator, Retention, Store, Strategy
from tests.fakes.memory_store import MemoryStore

EMAIL = Identity(category="user.contact.email", form="email", proven_by="code")
EXACT = Identity(category="user.unique_id")
IDENTITIES = {"email": EMAIL, "a": EXACT, "b": EXACT}
NAMES = sorted(IDENTITIES)
SEED = "ada@example.org"
AS_OF = datetime(2027, 1, 1, tzinfo=UTC)
ERASURES = (
    Erasure(action="delete"),
    Erasure(action="anonymise", fields={"email": Strategy(strategy="null")}),
    Erasure(action="keep", ground="accounting", law="a law", period="P7Y", since="at"),
)

emails = st.sampled_from([SEED, SEED, "bob@example.org", "1", ""])
numbers = st.sampled_from(["1", "2", "3", "", " ", "\t"])
dates = st.sampled_from(["2001-01-01", "2026-01-01", "soon"])
records = st.one_of(
    st.fixed_dictionaries({"email": emails, "a": numbers, "b": numbers, "at": dates}),
    st.fixed_dictionaries({}, optional={"email": emails, "a": numbers, "b": numbers, "at": dates}),
)
locators = st.lists(
    st.builds(
        lambda by, gives: Locator(by=by, through={"attribute": by}, gives={name: name for name in gives}),
        st.sampled_from([*NAMES, "email"]),
        st.lists(st.sampled_from(NAMES), max_size=3, unique=True),
    ),
    min_size=1,
    max_size=3,
)


def store(erasure: Erasure, locate: list[Locator]) -> Store:
    return Store(
        title="A store",
        connector="memory",
        purpose="tests",
        lawful_basis="contract",
        retention=Retention(period="P1Y", since="at"),
        erasure=erasure,
        locate=locate,
    )


def datamap(stores: dict[str, Store]) -> DataMap:
    controller = Controller(name="Example", contact="dpo@example.org", policy_url="-", complaint="-")
    return DataMap(version="1", controller=controller, identities=IDENTITIES, stores=stores)


Company = tuple[DataMap, dict[str, MemoryStore]]


@st.composite
def companies(draw: st.DrawFn) -> Company:
    names = [f"store-{number}" for number in range(draw(st.integers(1, 4)))]
    stores = {name: store(draw(st.sampled_from(ERASURES)), draw(locators)) for name in names}
    held = {name: draw(st.lists(records, max_size=8)) for name in names}
    return datamap(stores), {
        name: MemoryStore([{**item, "id": str(n)} for n, item in enumerate(items)]) for name, items in held.items()
    }


def closure(company: Company) -> tuple[set[tuple[str, str]], dict[str, set[str]]]:
    """The naive way: look at every record again and again until nothing new turns up. (store, record key) of what is
    the person's, and the identity values known in the end."""
    mapped, stores = company
    known = {"email": {SEED}}
    mine: set[tuple[str, str]] = set()
    while True:
        before = (len(mine), {name: len(found) for name, found in known.items()})
        for name, memory in stores.items():
            for item in memory.items:
                for by in mapped.stores[name].locate:
                    if item.get(by.by) in known.get(by.by, set()):
                        mine.add((name, memory.key_of(item)))
                        for given in by.gives:
                            if item.get(given, "").strip():
                                known.setdefault(given, set()).add(item[given])
        if before == (len(mine), {name: len(found) for name, found in known.items()}):
            return mine, known
