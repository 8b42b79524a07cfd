"""The permissions that a data map implies, as a CloudFormation template: managed policies for each verb's role.

Limits: a managed policy holds at most 6,144 characters, white space not counted, and a role carries at most 10 managed
policies unless AWS raised its quota (IAM and STS quotas, "IAM and STS character limits" and "object quotas").
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import yaml

from rightful import contacting
from rightful.datamap.kinds import Kinds, SweepKinds
from rightful.errors import Invalid
from rightful.model import DataMap, Permission, Store, SweepVerb, Verb

VERBS: tuple[Verb, ...] = ("discover", "export", "erase", "package")
SWEEP_VERBS: tuple[SweepVerb, ...] = ("split", "sweep")
ANNOUNCE: SweepVerb = "announce"
"""The verb that goes through the accounts, to tell everyone of something."""
ALSO: dict[str, tuple[str, ...]] = {"discover": ("hold",)}
"""Verb -> roles that do the same: a legal hold on a person walks the stores as a search does."""
MOST_CHARACTERS = 6144
MOST_POLICIES = 10
_LONGEST = {
    "${AWS::AccountId}": "0" * 12,
    "${AWS::Region}": "ap-southeast-99",
    "${AWS::Partition}": "aws-iso-b",
    "${AWS::URLSuffix}": "amazonaws.com.cn",
}

_HEADER = """\
# What the functions may do with the operator's own stores. Generated from the data map, so do not edit it:
#   python -m rightful datamap access infra/datamap.yaml infra/store_access.yaml
"""

CONTACT = "contact"
"""The verb that looks an address up, in the stores that say who it belongs to."""
NOTIFY = "notify"
"""The verb that touches no store: it tells recipients, whose secrets it may read."""

_Needed = tuple[Store, list[Permission]]
_Grant = tuple[tuple[str, ...], str, str]
"""Actions, one resource they are granted on, and the only service through which they may be used (empty: any)."""


class _Sub(str):
    """Text that CloudFormation fills in."""


class _Ref(str):
    """Name of a parameter."""


class _Dumper(yaml.SafeDumper):
    """Knows the short forms of Sub and Ref."""


_Dumper.add_representer(_Sub, lambda dumper, text: dumper.represent_scalar("!Sub", str(text)))
_Dumper.add_representer(_Ref, lambda dumper, text: dumper.represent_scalar("!Ref", str(text)))


def template(datamap: DataMap, kinds: Kinds, sweepers: SweepKinds) -> str:
    """The template's YAML; equal maps give equal text. Raises Invalid when a role would need too many policies."""
    resources: dict[str, Any] = {}
    granted: dict[str, Iterator[_Grant]] = {verb: _grants(_of_requests(datamap, kinds, verb)) for verb in VERBS}
    granted |= {verb: _grants(_of_sweeps(datamap, sweepers, verb)) for verb in SWEEP_VERBS}
    granted[CONTACT] = _grants(_of_contacts(datamap, kinds))
    granted[ANNOUNCE] = _grants(_of_accounts(datamap, sweepers))
    granted[NOTIFY] = _of_recipients(datamap)
    for verb, grants in granted.items():
        documents = list(_documents(sorted(set(grants))))
        if len(documents) > MOST_POLICIES:
            raise Invalid(
                f"the stores need {len(documents)} policies for `{verb}`, and a role carries {MOST_POLICIES}. "
                f"Name stores by a common prefix, or reach some through a `role_arn`."
            )
        name, what = ("Recipients", "the recipients") if verb == NOTIFY else ("Stores", "in the stores")
        for number, document in enumerate(documents, start=1):
            resources[f"{verb.title()}{name}{number}"] = {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {
                    "Description": f"{verb} {what} of the data map",
                    "Roles": [_Ref(_parameter(each)) for each in (verb, *ALSO.get(verb, ()))],
                    "PolicyDocument": document,
                },
            }
    body = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Rightful - access to the stores of the data map",
        # A verb that needs nothing has a role and no policy: its parameter is then not used.
        "Metadata": {"cfn-lint": {"config": {"ignore_checks": ["W2001"]}}},
        "Parameters": {
            _parameter(each): {"Type": "String", "Description": f"Name of the role that may {each}"}
            for verb in granted
            for each in (verb, *ALSO.get(verb, ()))
        },
        # CloudFormation refuses a template without resources; this one makes nothing.
        "Resources": resources or {"NoStores": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
    }
    return _HEADER + yaml.dump(body, Dumper=_Dumper, sort_keys=False, width=120)


def _parameter(verb: str) -> str:
    return f"{verb.title()}Role"


def _of_requests(datamap: DataMap, kinds: Kinds, verb: Verb) -> Iterator[_Needed]:
    for store in datamap.stores.values():
        if store.covered:
            yield store, kinds[store.connector].permissions(store, verb)


def _of_contacts(datamap: DataMap, kinds: Kinds) -> Iterator[_Needed]:
    """As a search is permitted that knows an address and nothing else."""
    for name in sorted(contacting.searched(datamap)):
        only = replace(datamap.stores[name], locate=contacting.email_locators(datamap, name))
        yield only, kinds[only.connector].permissions(only, "discover")


def _of_sweeps(datamap: DataMap, sweepers: SweepKinds, verb: SweepVerb) -> Iterator[_Needed]:
    for store in datamap.stores.values():
        if store.swept:
            yield store, sweepers[store.connector].permissions(store, verb)


def _of_accounts(datamap: DataMap, sweepers: SweepKinds) -> Iterator[_Needed]:
    if store := datamap.stores.get(datamap.accounts.store):
        yield store, sweepers[store.connector].permissions(store, ANNOUNCE)


def _of_recipients(datamap: DataMap) -> Iterator[_Grant]:
    """The secrets that sign, each alone."""
    for recipient in datamap.recipients.values():
        if recipient.secret:
            yield ("secretsmanager:GetSecretValue",), recipient.secret, ""


def _grants(needed: Iterator[_Needed]) -> Iterator[_Grant]:
    """What a role needs. A store behind a role of its own asks for that role alone."""
    for store, permissions in needed:
        if store.role_arn and permissions:
            yield ("sts:AssumeRole",), store.role_arn, ""
            continue
        for permission in permissions:
            for resource in permission["resources"]:
                yield tuple(sorted(permission["actions"])), resource, permission.get("via", "")


def _documents(grants: list[_Grant]) -> Iterator[dict[str, Any]]:
    """Policy documents that hold the grants in order, each within the limit."""
    some: list[_Grant] = []
    for grant in grants:
        if some and _size(_document([*some, grant])) > MOST_CHARACTERS:
            yield _document(some)
            some = []
        some.append(grant)
    if some:
        yield _document(some)


def _document(grants: list[_Grant]) -> dict[str, Any]:
    """One statement for each set of actions (and service to use them through), with all its resources."""
    resources: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for actions, resource, via in grants:
        resources.setdefault((actions, via), []).append(_filled(resource))
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": list(actions), "Resource": on, **_condition(via)}
            for (actions, via), on in resources.items()
        ],
    }


def _condition(via: str) -> dict[str, Any]:
    return {"Condition": {"StringEquals": {"kms:ViaService": _filled(via)}}} if via else {}


def _filled(text: str) -> str:
    return _Sub(text) if "${" in text else text


def _size(document: dict[str, Any]) -> int:
    """Characters, white space not counted, with the longest values that pseudo parameters can have."""
    text = json.dumps(document, separators=(",", ":"))
    for placeholder, longest in _LONGEST.items():
        text = text.replace(placeholder, longest)
    return len(text)
