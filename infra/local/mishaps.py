"""Gets in the way of a running stack, as life does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.stack import STACK, Stack

_REFUSED = "refuse"


def physical(stack: Stack, logical_id: str) -> str:
    """The name that a resource of the template got."""
    found = stack.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=logical_id)
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


@contextmanager
def refusing(stack: Stack, function: str, resource: str, *actions: str) -> Iterator[None]:
    """Meanwhile, the function (its logical id) is denied these actions on the resource."""
    iam, role = stack.client("iam"), physical(stack, f"{function}Role")
    statement = {"Effect": "Deny", "Action": actions, "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName=_REFUSED, PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName=_REFUSED)
