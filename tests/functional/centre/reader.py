"""Somebody who uses the page without script: reads what comes, fills in forms, presses buttons. Every page that is read
is held to be well formed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import parse_qs, urlencode

from tests.fakes.company import ADA
from tests.fakes.state_machine import Execution
from tests.fakes.world import World
from tests.functional.api.bridge import Answer, call

VOID = {"meta", "link", "input", "br", "hr"}
FORM = "application/x-www-form-urlencoded"


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Form:
    """`fields` as a browser would send them if nothing was typed; `buttons` by their text, with what each adds."""

    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, dict[str, str]] = field(default_factory=dict)


class Parsed(HTMLParser):
    """A page, in parts. Raises AssertionError for one that is not well formed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.open: list[Element] = []
        self.forms: list[Form] = []
        self.named: dict[str, Form] = {}
        self.waiting: list[tuple[str, Element]] = []
        self.inside: Form | None = None
        self.feed(text)
        self.close()
        assert self.open == [], "an element that is not closed"
        for form_id, button in self.waiting:
            self._button(self.named[form_id], button)
        self._check()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute of {tag} is there twice"
        element = Element(tag, {name: value or "" for name, value in attrs})
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"]
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)
        if tag == "form":
            assert self.inside is None, "a form within a form"
            assert element.attributes["method"] == "post"
            self.inside = Form()
            self.forms.append(self.inside)
            if "id" in element.attributes:
                self.named[element.attributes["id"]] = self.inside
        if self.inside is not None and "name" in element.attributes and tag in ("input", "textarea"):
            kind = element.attributes.get("type", "text")
            if kind not in ("checkbox", "radio") or "checked" in element.attributes:
                self.inside.fields[element.attributes["name"]] = element.attributes.get("value", "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        element = self.open.pop()
        assert element.tag == tag, f"<{element.tag}> is closed by </{tag}>"
        if tag == "form":
            self.inside = None
        elif tag == "button":
            if form_id := element.attributes.get("form"):
                self.waiting.append((form_id, element))
            elif self.inside is not None:
                self._button(self.inside, element)
        elif tag == "textarea" and self.inside is not None:
            self.inside.fields[element.attributes["name"]] = element.text.removeprefix("\n")

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data

    @staticmethod
    def _button(form: Form, button: Element) -> None:
        own = button.attributes
        words = own.get("aria-label", "") or _spaced(button.text)
        form.buttons[words] = {own["name"]: own.get("value", "")} if "name" in own else {}

    def _check(self) -> None:
        ids = [element.attributes["id"] for element in self.elements if "id" in element.attributes]
        assert len(ids) == len(set(ids)), "an id is there twice"
        for element in self.elements:
            refers = element.attributes.get("aria-describedby", "").split()
            refers += element.attributes.get("aria-labelledby", "").split()
            refers += [element.attributes["for"]] if "for" in element.attributes else []
            assert set(refers) <= set(ids), f"{element.tag} refers to what is not there"
        [_] = self.all("h1")
        [_] = self.all("main")
        levels = [int(element.tag[1]) for element in self.elements if re.fullmatch("h[1-6]", element.tag)]
        assert all(after <= before + 1 for before, after in pairwise(levels)), levels
        scripts = self.all("script")
        assert {(each.attributes["type"], each.text) for each in scripts} <= {("module", "")}
        assert len(scripts) <= 1

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]


@dataclass
class Reader:
    """A person with a browser that has no script, and a mailbox."""

    world: World
    language: str = "en"
    email: str = ADA
    answer: Answer = field(init=False)
    page: Parsed = field(init=False)
    headers: dict[str, str] = field(default_factory=dict)
    runs: dict[str, Execution] = field(default_factory=dict)

    def open(self, show: str = "") -> Reader:
        return self._read(call("GET", f"/?show={show}" if show else "/", Accept_Language=self.language, **self.headers))

    def press(self, button: str, **typed: str) -> Reader:
        """Sends the form that has this button; `typed`: `topic.newsletter` is written `topic__newsletter`."""
        [(form, more)] = [(form, form.buttons[button]) for form in self.page.forms if button in form.buttons]
        typed = {name.replace("__", "."): value for name, value in typed.items()}
        return self.send({**form.fields, **typed, **more})

    def send(self, fields: dict[str, str]) -> Reader:
        body = urlencode(fields, errors="surrogatepass")
        return self._read(call("POST", "/", body, Content_Type=FORM, Accept_Language=self.language, **self.headers))

    def _read(self, answer: Answer) -> Reader:
        self.answer = answer
        if answer.headers["content-type"].startswith("text/html"):
            self.page = Parsed(answer.text)
        return self

    @property
    def state(self) -> str:
        [main] = self.page.all("main")
        return main.attributes["data-state"]

    @property
    def text(self) -> str:
        """What stands in the page, white space as shown."""
        [main] = self.page.all("main")
        return _spaced(main.text)

    @property
    def heading(self) -> str:
        [heading] = self.page.all("h1")
        return heading.text

    def field(self, name: str) -> str:
        """The value of the first field of that name."""
        return next(form.fields[name] for form in self.page.forms if name in form.fields)

    def code(self) -> str:
        mails = [mail for mail in self.world.mailer.to(self.email) if mail.key.endswith(":code")]
        [code] = re.findall(r"\b\d{8}\b", mails[-1].text)
        return str(code)

    def signed_in(self, show: str = "requests") -> Reader:
        self.open(show)
        [button] = [name for form in self.page.forms if "email" in form.fields for name in form.buttons]
        self.press(button, email=self.email)
        return self.confirm()

    def confirm(self) -> Reader:
        """Types in the code that came."""
        [button] = [name for form in self.page.forms if "code" in form.fields for name in form.buttons]
        return self.press(button, code=self.code())

    def carry_on(self) -> None:
        """Runs the workflow of each request that was begun, until it ends or waits."""
        for name in self.world.executions.started:
            if name not in self.runs:
                self.runs[name] = self.world.execution(name.partition("-")[2]).run()
            elif self.runs[name].token in self.world.executions.answers:
                self.runs[name].resume()


def _spaced(text: str) -> str:
    """White space as it is shown; spaces that do not break stay."""
    return re.sub("[ \n\t]+", " ", text).strip()


def links(page: Parsed) -> dict[str, dict[str, list[str]]]:
    """Text of each link to the page itself -> its query."""
    own = [each for each in page.all("a") if "?" in each.attributes["href"] and "//" not in each.attributes["href"]]
    return {_spaced(each.text): parse_qs(each.attributes["href"].partition("?")[2]) for each in own}
