"""Whole configurations: loops, modules, dynamic blocks, providers, files of variables, and what is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.hcl.files import Library
from policies.hcl.load import load
from policies.tree import Mode
from policies.values import Encoded, Unknown, references

MODULE = """
variable "names" {
  type = map(number)
}

variable "key" {
  type = string
}

resource "aws_sqs_queue" "this" {
  for_each          = var.names
  name              = "queue-${each.key}"
  delay_seconds     = each.value
  kms_master_key_id = var.key
}

output "arns" {
  value = { for name, queue in aws_sqs_queue.this : name => queue.arn }
}
"""
ROOT = """
module "queues" {
  source = "./queues"
  names  = { one = 1, two = 2 }
  key    = aws_kms_key.main.arn
}

resource "aws_kms_key" "main" {}

resource "aws_sns_topic_subscription" "one" {
  endpoint = module.queues.arns["one"]
}
"""


def test_inputs_of_modules_reach_their_resources(tree) -> None:  # type: ignore[no-untyped-def]
    """checkov leaves var.names unresolved here, and joins no reference across modules."""
    made = tree({"main.tf": ROOT, "queues/main.tf": MODULE})
    one, two = made.of("aws_sqs_queue")

    assert one.address == 'module.queues.aws_sqs_queue.this["one"]'
    assert (one.values["name"], one.values["delay_seconds"]) == ("queue-one", 1)
    assert made.meant(two.values["kms_master_key_id"], "aws_kms_key") == made.of("aws_kms_key")


def test_outputs_of_modules_name_exactly_the_instance_that_is_meant(tree) -> None:  # type: ignore[no-untyped-def]
    made = tree({"main.tf": ROOT, "queues/main.tf": MODULE})
    endpoint = made.of("aws_sns_topic_subscription")[0].values["endpoint"]

    assert [queue.name for queue in made.meant(endpoint, "aws_sqs_queue")] == ["this"]
    assert 'module.queues.aws_sqs_queue.this["two"]' not in references(endpoint)


@pytest.mark.parametrize(
    ("argument", "addresses", "uncertain"),
    [
        ("count = 2", ["aws_sqs_queue.x[0]", "aws_sqs_queue.x[1]"], False),
        ("count = 0", [], False),
        ("count = var.n", ["aws_sqs_queue.x"], True),
        ('for_each = toset(["b", "a"])', ['aws_sqs_queue.x["a"]', 'aws_sqs_queue.x["b"]'], False),
        ("for_each = {}", [], False),
        ("for_each = var.n", ["aws_sqs_queue.x"], True),
    ],
)
def test_a_loop_makes_its_instances(tree, argument: str, addresses: list[str], uncertain: bool) -> None:  # type: ignore[no-untyped-def]
    found = tree(f'variable "n" {{}}\nresource "aws_sqs_queue" "x" {{\n  {argument}\n}}\n').of("aws_sqs_queue")

    assert [one.address for one in found] == addresses
    assert all(one.uncertain is uncertain for one in found)


def test_dynamic_blocks_become_blocks_or_say_that_nobody_knows_how_many(tree) -> None:  # type: ignore[no-untyped-def]
    text = """
variable "ports" {}

resource "aws_security_group" "known" {
  dynamic "ingress" {
    for_each = { web = 443 }
    iterator = port

    content {
      from_port   = port.value
      description = port.key
    }
  }
}

resource "aws_security_group" "unknown" {
  dynamic "ingress" {
    for_each = var.ports

    content {
      from_port = ingress.value
    }
  }
}
"""
    known, unknown = tree(text).of("aws_security_group")

    assert known.blocks("ingress") == [{"from_port": 443, "description": "web"}]
    assert isinstance(unknown.one("ingress"), Unknown)


def test_count_inside_of_a_block_is_the_providers_word(tree) -> None:  # type: ignore[no-untyped-def]
    """override_action { count {} } is what makes a WAF rule toothless."""
    text = 'resource "aws_wafv2_web_acl" "x" {\n  rule {\n    override_action {\n      count {}\n    }\n  }\n}\n'

    assert tree(text).of("aws_wafv2_web_acl")[0].blocks("rule.override_action") == [{"count": [{}]}]


def test_providers_reach_modules_by_the_names_they_are_passed_under(tree) -> None:  # type: ignore[no-untyped-def]
    files = {
        "main.tf": """
provider "aws" {
  region = "us-east-1"
}

provider "aws" {
  alias  = "far"
  region = "us-west-2"
}

module "data" {
  source    = "./data"
  providers = { aws = aws, aws.replica = aws.far }
}
""",
        "data/main.tf": """
resource "aws_db_instance" "near" {}

resource "aws_db_instance" "far" {
  provider = aws.replica
}
""",
    }

    assert {one.name: one.region for one in tree(files).of("aws_db_instance")} == {
        "near": "us-east-1",
        "far": "us-west-2",
    }


def test_variables_come_from_the_files_beside_the_root_and_nowhere_else(tree) -> None:  # type: ignore[no-untyped-def]
    files = {
        "main.tf": """
variable "a" {
  default = 1
}

variable "b" {}

resource "aws_sqs_queue" "x" {
  delay_seconds = var.a
  name          = var.b
}
""",
        "terraform.tfvars": "a = 2\n",
        "other.tfvars": 'b = "not loaded by Terraform"\n',
    }
    queue = tree(files).of("aws_sqs_queue")[0]

    assert queue.values["delay_seconds"] == 2
    assert isinstance(queue.values["name"], Unknown)


def test_what_the_provider_computes_is_never_null_but_not_known(tree) -> None:  # type: ignore[no-untyped-def]
    text = """
resource "aws_kms_key" "k" {}

resource "aws_sqs_queue" "x" {
  name          = aws_kms_key.k.arn == null ? "plain" : "encrypted"
  delay_seconds = aws_kms_key.k.description == "" ? 1 : 2
}
"""
    queue = tree(text).of("aws_sqs_queue")[0]

    assert queue.values["name"] == "encrypted"
    assert isinstance(queue.values["delay_seconds"], Unknown)


def test_policy_documents_are_built_as_the_provider_builds_them(tree) -> None:  # type: ignore[no-untyped-def]
    text = """
data "aws_iam_policy_document" "base" {
  statement {
    actions   = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = ["111122223333"]
    }
  }
}

data "aws_iam_policy_document" "all" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]

  statement {
    effect    = "Deny"
    actions   = ["*"]
    resources = ["*"]
  }
}

resource "aws_iam_role" "x" {
  assume_role_policy = data.aws_iam_policy_document.all.json
}
"""
    document = tree(text).of("aws_iam_role")[0].values["assume_role_policy"]

    assert isinstance(document, Encoded)
    assert [one["Effect"] for one in document.value["Statement"]] == ["Allow", "Deny"]
    assert document.value["Statement"][0]["Principal"] == {"Service": ["ecs-tasks.amazonaws.com"]}
    assert document.value["Statement"][0]["Condition"] == {"StringEquals": {"aws:SourceAccount": ["111122223333"]}}


def test_what_an_apply_ignores_is_read_as_written(tree) -> None:  # type: ignore[no-untyped-def]
    lifecycle = 'lifecycle {\n    ignore_changes = [default_action[0].forward, tags["a"]]\n  }'
    text = f'resource "aws_lb_listener" "x" {{\n  {lifecycle}\n}}\n'

    assert tree(text).of("aws_lb_listener")[0].ignored == ("default_action[0].forward", "tags[a]")


def test_settings_of_terraform_are_part_of_the_tree(tree) -> None:  # type: ignore[no-untyped-def]
    files = {
        "main.tf": 'terraform {\n  backend "s3" {\n    bucket = "a"\n  }\n}\nvariable "x" {\n  default = 1\n}\n',
        "backend.hcl": "encrypt = true\n",
        ".terraform.lock.hcl": "",
    }
    made = tree(files)

    assert made.of("backend")[0].values == {"bucket": "a", "encrypt": True, "type": "s3"}
    assert made.of("terraform")[0].one("lock_file") is True
    assert all(one.mode is Mode.SETTING for one in made.resources)


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"main.tf": 'module "x" {\n  source = "hashicorp/consul/aws"\n}\n'}, "whose code is not here"),
        ({"main.tf": 'module "x" {\n  source = "./gone"\n}\n'}, "holds no .tf file"),
        ({"main.tf": "a = \n"}, "cannot be parsed"),
        ({"main.tf": "", "more.tf.json": "{}"}, "is not read"),
        ({"main.tf": "", "override.tf": ""}, "is not read"),
        (
            {"main.tf": 'module "m" {\n  source = "./m"\n}\n', "m/main.tf": "resource {"},
            "m/main.tf:1: cannot be parsed",
        ),
    ],
)
def test_what_was_not_read_is_a_gap_with_its_place(write, files: dict[str, str], what: str) -> None:  # type: ignore[no-untyped-def]
    base: Path = write(files)
    library = Library(base=base)
    load(base, library)

    assert any(what in str(gap) for gap in library.gaps)


def test_a_module_that_calls_itself_ends(write) -> None:  # type: ignore[no-untyped-def]
    base: Path = write({"main.tf": 'module "self" {\n  source = "./."\n}\nresource "aws_sqs_queue" "x" {}\n'})
    library = Library(base=base)

    assert len(load(base, library).of("aws_sqs_queue")) > 1


def test_a_file_outside_of_the_repository_is_not_read(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    outside = tmp_path.parent / f"{tmp_path.name}-outside.txt"
    outside.write_text("secret", encoding="utf-8")
    base: Path = write({"main.tf": f'resource "aws_sqs_queue" "x" {{\n  name = file("{outside}")\n}}\n'})
    library = Library(base=base)

    assert isinstance(load(base, library).of("aws_sqs_queue")[0].values["name"], Unknown)


def test_a_value_that_no_variable_takes_is_still_seen(tree) -> None:  # type: ignore[no-untyped-def]
    """Terraform warns and goes on; whatever stands in the file is in every clone."""
    made = tree({"main.tf": 'variable "a" {\n  type = number\n}\n', "terraform.tfvars": 'a = 1\n\nb = "text"\n'})

    assert {one.name: one.values["given"] for one in made.of("variable")} == {"a": 1, "b": "text"}
    assert [(one.place.file.rpartition("/")[2], one.place.line) for one in made.of("variable")] == [
        ("main.tf", 1),
        ("terraform.tfvars", 3),
    ]
