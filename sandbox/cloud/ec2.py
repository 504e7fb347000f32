"""EC2: what a security group's rule says, and the tags of a launch template.

Corrects moto 5.2.5: the description of a rule that names a group or a prefix list is forgotten, and a launch template's
own tags are described as tags of the instances that it starts.
"""

from __future__ import annotations

import functools
from typing import Any

from moto.ec2.models.launch_templates import LaunchTemplateBackend
from moto.ec2.models.security_groups import SecurityGroupRule

_OF_ITSELF = "launch-template"


@functools.cache
def install() -> None:
    """Correct moto for this process, once."""
    _keep_descriptions()
    _keep_tags_apart()


def _keep_descriptions() -> None:
    begin = SecurityGroupRule.__init__

    @functools.wraps(begin)
    def begin_and_remember(self: Any, *positional: Any, **named: Any) -> None:
        begin(self, *positional, **named)
        prefix_list = positional[7] if len(positional) > 7 else named.get("prefix_list_id")
        self.prefix_list_description = (prefix_list or {}).get("Description")

    def description(self: Any) -> str | None:
        found = (self.ip_range.get("Description"), self.source_group.get("Description"), self.prefix_list_description)
        return next((one for one in found if one is not None), None)

    rule: Any = SecurityGroupRule
    rule.__init__ = begin_and_remember
    rule.description = property(description)


def _keep_tags_apart() -> None:
    create = LaunchTemplateBackend.create_launch_template

    @functools.wraps(create)
    def create_launch_template(
        self: Any, name: str, description: str, template_data: dict[str, Any], tag_spec: dict[str, Any]
    ) -> Any:
        given = template_data.get("TagSpecifications") or []
        kept = [one for one in given if one["ResourceType"] != _OF_ITSELF]
        data = {key: value for key, value in template_data.items() if key != "TagSpecifications"}
        return create(self, name, description, data | ({"TagSpecifications": kept} if kept else {}), tag_spec)

    backend: Any = LaunchTemplateBackend
    backend.create_launch_template = create_launch_template
