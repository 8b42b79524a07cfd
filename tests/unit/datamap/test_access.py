"""The permissions that a map implies: complete, nothing more, within IAM's limits; the shipped file is in step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import lint_all  # type: ignore[import-untyped]  # ships no types

from rightful.datamap import access
from rightful.datamap.check import load_file
from rightful.datamap.kinds import Kinds
from rightful.errors import Invalid
from rightful.model import DataMap, Permission, Store, Verb
from rightful.stores.registry import CONNECTORS, SWEEPERS
from tests.unit.datamap.maps import (
    GOOD,
    KINDS,
    SECRET,
    SWEEP_KINDS,
    WITH_CHOICES,
    WITH_RECIPIENTS,
    Cupboard,
    outcome,
)

INFRA = Path(__file__).parents[3] / "infra"


class _Short(yaml.SafeLoader):
    """Reads !Sub and !Ref as their text."""


_Short.add_multi_constructor("!", lambda loader, _tag, node: loader.construct_scalar(node))


def mapped(text: str) -> DataMap:
    result = outcome(text)
    assert result.datamap is not None, result.problems
    return result.datamap


def policies(datamap: DataMap, kinds: Kinds = KINDS) -> dict[str, Any]:
    template = yaml.load(access.template(datamap, kinds, SWEEP_KINDS), Loader=_Short)
    resources: dict[str, Any] = template["Resources"]
    return resources


def granted(resources: dict[str, Any], role: str) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for policy in resources.values()
        if role in policy["Properties"]["Roles"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def shelf(name: str) -> str:
    return f"arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/{name}"


def test_each_role_gets_what_its_verb_needs_and_no_more() -> None:
    resources = policies(mapped(GOOD))
    assert granted(resources, "DiscoverRole") == {
        ("dynamodb:GetItem", shelf("accounts")),
        ("dynamodb:GetItem", shelf("letters")),
    }
    assert granted(resources, "EraseRole") == {
        ("dynamodb:DeleteItem", shelf("accounts")),
        ("dynamodb:DeleteItem", shelf("letters")),
    }
    assert granted(resources, "ExportRole") == granted(resources, "PackageRole") == set()
    both = (shelf("accounts"), shelf("letters"))
    assert granted(resources, "SplitRole") == {("dynamodb:DescribeTable", each) for each in both}
    assert granted(resources, "SweepRole") == {("dynamodb:Scan", each) for each in both}


def test_who_tells_everyone_may_read_the_accounts_and_nothing_else() -> None:
    assert granted(policies(mapped(GOOD)), "AnnounceRole") == set()
    resources = policies(mapped(GOOD + "accounts: {store: accounts, email: email}\n"))
    assert granted(resources, "AnnounceRole") == {("dynamodb:Query", shelf("accounts"))}


def test_a_store_whose_requests_are_planned_is_swept_all_the_same() -> None:
    resources = policies(
        mapped(GOOD.replace("settings: {shelf: letters}", "settings: {shelf: l}\n    requests: planned"))
    )
    assert granted(resources, "EraseRole") == {("dynamodb:DeleteItem", shelf("accounts"))}
    assert granted(resources, "SweepRole") == {("dynamodb:Scan", shelf("accounts")), ("dynamodb:Scan", shelf("l"))}


def test_every_kind_of_store_can_be_swept() -> None:
    assert SWEEPERS.keys() == CONNECTORS.keys()


def test_a_store_of_another_account_asks_for_its_role_alone() -> None:
    role = "arn:aws:iam::123456789012:role/reader"
    resources = policies(
        mapped(GOOD.replace("settings: {shelf: letters}", f"settings: {{shelf: l}}\n    role_arn: {role}"))
    )
    assert granted(resources, "DiscoverRole") == {("dynamodb:GetItem", shelf("accounts")), ("sts:AssumeRole", role)}
    assert granted(resources, "PackageRole") == set()


def test_whoever_tells_recipients_reads_their_secrets_and_no_others() -> None:
    text = access.template(mapped(WITH_RECIPIENTS), KINDS, SWEEP_KINDS)
    resources = yaml.load(text, Loader=_Short)["Resources"]
    assert granted(resources, "NotifyRole") == {("secretsmanager:GetSecretValue", SECRET)}
    without = {name: policy for name, policy in resources.items() if policy["Properties"]["Roles"] != ["NotifyRole"]}
    assert without == policies(mapped(GOOD))
    assert lint_all(text) == []


def test_a_key_may_be_used_through_its_store_only() -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"

    class Locked(Cupboard):
        def permissions(self, store: Store, verb: Verb) -> list[Permission]:
            via = "dynamodb.${AWS::Region}.${AWS::URLSuffix}"
            return [*super().permissions(store, verb), {"actions": ["kms:Decrypt"], "resources": [key], "via": via}]

    text = access.template(mapped(GOOD), {"cupboard": Locked()}, SWEEP_KINDS)
    (policy,) = (p for p in yaml.load(text, Loader=_Short)["Resources"].values() if "EraseRole" in str(p))
    plain, keyed = policy["Properties"]["PolicyDocument"]["Statement"]
    assert "Condition" not in plain
    assert (keyed["Action"], keyed["Resource"]) == (["kms:Decrypt"], [key])
    assert keyed["Condition"] == {"StringEquals": {"kms:ViaService": "dynamodb.${AWS::Region}.${AWS::URLSuffix}"}}
    assert lint_all(text) == []


def test_who_asks_about_addresses_may_look_them_up_where_they_stand_and_do_nothing_else() -> None:
    class ByLabel(Cupboard):
        def permissions(self, store: Store, verb: Verb) -> list[Permission]:
            labels = [f"{shelf(store.settings['shelf'])}/{locator.through['label']}" for locator in store.locate]
            return [{"actions": [verb], "resources": labels}]

    assert granted(policies(mapped(GOOD), {"cupboard": ByLabel()}), "ContactRole") == set()
    resources = policies(mapped(WITH_CHOICES), {"cupboard": ByLabel()})
    assert granted(resources, "ContactRole") == {
        ("discover", f"{shelf('accounts')}/email"),
        ("discover", f"{shelf('letters')}/email"),
    }
    assert ("discover", f"{shelf('letters')}/account") in granted(resources, "DiscoverRole")


def test_planned_stores_get_nothing_and_a_template_without_policies_is_still_one() -> None:
    datamap = mapped(GOOD.replace("connector: cupboard", "connector: planned"))
    text = access.template(datamap, KINDS, SWEEP_KINDS)
    assert "ManagedPolicy" not in text
    assert lint_all(text) == []


def many(stores: int) -> DataMap:
    start = GOOD.index("  letters:")
    more = "".join(GOOD[start:].replace("letters", f"letters_{number:04}") for number in range(stores))
    return mapped(GOOD[:start] + more)


def test_a_policy_that_would_be_too_long_is_split() -> None:
    resources = policies(many(300))
    real = {"${AWS::AccountId}": "123456789012", "${AWS::Region}": "ap-southeast-1", "${AWS::Partition}": "aws"}
    sizes = []
    for policy in resources.values():
        document = json.dumps(policy["Properties"]["PolicyDocument"], separators=(",", ":"))
        for placeholder, value in real.items():
            document = document.replace(placeholder, value)
        sizes.append(len(document))
    assert max(sizes) <= access.MOST_CHARACTERS
    assert len(granted(resources, "EraseRole")) == 301
    assert sum(policy["Properties"]["Roles"] == ["EraseRole"] for policy in resources.values()) > 1


def test_more_policies_than_a_role_carries_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(Invalid, match="a role carries 10"):
        access.template(many(1200), KINDS, SWEEP_KINDS)


def test_equal_maps_give_equal_text_and_the_template_is_clean() -> None:
    text = access.template(many(20), KINDS, SWEEP_KINDS)
    assert text == access.template(many(20), KINDS, SWEEP_KINDS)
    assert lint_all(text) == []


def test_the_shipped_template_is_the_one_that_the_shipped_map_implies() -> None:
    datamap = load_file(INFRA / "datamap.yaml", CONNECTORS, SWEEPERS)
    assert (INFRA / "store_access.yaml").read_text("utf-8") == access.template(datamap, CONNECTORS, SWEEPERS), (
        "run: python -m rightful datamap access infra/datamap.yaml infra/store_access.yaml"
    )


def test_the_shipped_template_is_clean() -> None:
    assert lint_all((INFRA / "store_access.yaml").read_text("utf-8")) == []
