"""The compiled map: nothing is lost on the way to a Lambda, and no validation library is needed there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful import compiled, model
from rightful.datamap.load import load
from rightful.errors import NeedsAttention
from tests.unit.datamap.maps import GOOD, SECRET, WITH_RECIPIENTS, outcome

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
strategies = st.builds(model.Strategy)
maps = st.builds(
    model.DataMap,
    controller=st.builds(model.Controller),
    identities=st.dictionaries(st.text(max_size=3), st.builds(model.Identity), max_size=2),
    stores=st.dictionaries(
        st.text(max_size=3),
        st.builds(
            model.Store,
            settings=st.dictionaries(st.text(max_size=3), json_values, max_size=3),
            locate=st.lists(
                st.builds(model.Locator, through=st.dictionaries(st.text(max_size=3), json_values, max_size=2)),
                max_size=2,
            ),
            fields=st.dictionaries(st.text(max_size=3), st.builds(model.Field), max_size=2),
            erasure=st.builds(model.Erasure, fields=st.dictionaries(st.text(max_size=3), strategies, max_size=2)),
            retention=st.builds(
                model.Retention,
                fields=st.dictionaries(st.text(max_size=3), strategies, max_size=2),
                unless=st.lists(st.builds(model.Unless), max_size=2),
            ),
        ),
        max_size=2,
    ),
    recipients=st.dictionaries(st.text(max_size=3), st.builds(model.Recipient), max_size=2),
    requests=st.dictionaries(st.sampled_from(["access", "erasure"]), st.builds(model.RequestPolicy), max_size=2),
)


@given(maps)
def test_what_is_dumped_is_loaded_again(datamap: model.DataMap) -> None:
    assert compiled.load_compiled(compiled.dump(datamap)) == datamap


def test_loading_agrees_with_the_validated_map() -> None:
    datamap = outcome(GOOD).datamap
    assert datamap is not None
    assert load(json.loads(compiled.dump(datamap))) == (datamap, [])


@pytest.mark.parametrize("text", ["", "[]", "7", "{}", '{"version": "1"}', '{"unknown": 1}', "{"])
def test_a_broken_build_needs_attention(text: str) -> None:
    with pytest.raises(NeedsAttention):
        compiled.load_compiled(text)


def test_loading_imports_neither_pydantic_nor_yaml(tmp_path: Path) -> None:
    datamap = outcome(GOOD).datamap
    assert datamap is not None
    (tmp_path / "map.json").write_text(compiled.dump(datamap))
    code = (
        "import sys, pathlib; from rightful.compiled import load_compiled;"
        "load_compiled(pathlib.Path(sys.argv[1]).read_text());"
        "sys.exit(any(name in sys.modules for name in ('pydantic', 'yaml', 'boto3')))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "map.json")], check=True)


def test_placeholders_are_filled_in_where_resources_are_named() -> None:
    text = GOOD.replace(
        "settings: {shelf: letters}",
        "settings: {shelf: 'x-${AWS::AccountId}-${AWS::Region}'}\n"
        "    role_arn: 'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/reader'\n    region: eu-north-1",
    )
    datamap = outcome(text).datamap
    assert datamap is not None
    resolved = compiled.resolve(datamap, "123456789012", "eu-west-1", "aws-cn")
    letters = resolved.stores["letters"]
    assert letters.settings == {"shelf": "x-123456789012-eu-north-1"}
    assert letters.role_arn == "arn:aws-cn:iam::123456789012:role/reader"
    assert resolved.stores["accounts"] == datamap.stores["accounts"]
    assert compiled.resolve(resolved, "1", "us-east-1", "aws") == resolved


def test_placeholders_are_filled_in_where_secrets_are_named() -> None:
    here = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:billing-a1B2c3"
    datamap = outcome(WITH_RECIPIENTS.replace(SECRET, here)).datamap
    assert datamap is not None
    resolved = compiled.resolve(datamap, "123456789012", "cn-north-1", "aws-cn")
    secret = resolved.recipients["billing"].secret
    assert secret == "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:billing-a1B2c3"
