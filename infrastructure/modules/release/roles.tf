# The roles of the engine, and of the features that look at it. What each may is the published minimum in rollout/policies, filled in here, so that
# infrastructure and documentation cannot differ. Only a controller moves traffic; a pipeline submits and watches, and
# proves who it is by a token of the forge: there is no key to lose.

locals {
  policy_places = {
    region                 = var.region
    account_id             = var.account_id
    cluster_name           = var.services.cluster.name
    service_name_blue      = var.services.names["blue"]
    service_name_green     = var.services.names["green"]
    listener_arn           = var.traffic.listener_arn
    rule_arn               = var.traffic.rule_arn
    target_group_arn_blue  = var.traffic.target_group_arns["blue"]
    target_group_arn_green = var.traffic.target_group_arns["green"]
    hosted_zone_id         = var.traffic.hosted_zone_id
    task_role_arn          = var.services.task_role_arn
    execution_role_arn     = var.services.execution_role_arn
    state_table            = aws_dynamodb_table.rollouts.name
    alert_topic_arn        = aws_sns_topic.alerts.arn
    heartbeat_namespace    = local.heartbeat_namespace
  }
  policy_files = { for role in ["observer", "submitter", "controller", "reader"] : role => "${path.module}/../../../rollout/policies/${role}.json" }
  # A submitter reads what it submits; a reader runs the features, which look at all of the account; docs/real-account.md.
  roles = {
    observer   = { trust = local.forge_trust, policies = ["observer"] }
    reader     = { trust = local.forge_trust, policies = ["observer", "reader"] }
    submitter  = { trust = local.forge_trust, policies = ["observer", "submitter"] }
    controller = { trust = local.tasks_trust, policies = ["controller"] }
  }
  role_policies = merge([
    for role, one in local.roles : { for policy in one.policies : "${role}-${policy}" => { role = role, policy = policy } }
  ]...)

  forge       = "token.actions.githubusercontent.com"
  forge_trust = "forge"
  tasks_trust = "tasks"
  trust = {
    # Only the environment of this name, which the forge gives to approved runs alone.
    forge = {
      Effect    = "Allow"
      Principal = { Federated = aws_iam_openid_connect_provider.forge.arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.forge}:aud" = "sts.amazonaws.com"
          "${local.forge}:sub" = "repo:${var.forge_repository}:environment:${var.environment}"
        }
      }
    }
    tasks = {
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }
  }
}

resource "aws_iam_openid_connect_provider" "forge" {
  url            = "https://${local.forge}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "engine" {
  for_each = local.roles

  name                 = "release-${each.key}"
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = [local.trust[each.value.trust]] })
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "engine" {
  for_each = local.role_policies

  name   = each.value.policy
  role   = aws_iam_role.engine[each.value.role].id
  policy = templatefile(local.policy_files[each.value.policy], local.policy_places)
}

# State and alerts are encrypted with keys of our own, which the published policies cannot know.
resource "aws_iam_role_policy" "keys" {
  for_each = local.roles

  name = "keys"
  role = aws_iam_role.engine[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "UseKeys"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = each.key == "controller" ? [var.key_arns.data, var.key_arns.messages] : [var.key_arns.data]
    }]
  })
}
