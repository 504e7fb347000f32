# Cluster, both slots' services and their first revision. From then on the engine registers revisions and sets counts;
# Terraform leaves both alone (ignore_changes), and gives them back to nobody.

locals {
  slots = toset(["blue", "green"])
}

resource "aws_cloudwatch_log_group" "service" {
  name              = "/ecs/${var.service}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arns.logs
}

resource "aws_ecs_cluster" "this" {
  name = "${var.environment}-cluster"

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE"]

  default_capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
  }
}

resource "aws_ecs_task_definition" "service" {
  family                   = var.service
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = var.task.cpu_units
  memory                   = var.task.memory_mib
  execution_role_arn       = var.role_arns.execution
  task_role_arn            = var.role_arns.task

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  container_definitions = jsonencode([{
    name                   = var.service
    image                  = "${aws_ecr_repository.this["service"].repository_url}@${var.image_digest}"
    essential              = true
    cpu                    = var.task.cpu_units
    memory                 = var.task.container_memory_mib
    readonlyRootFilesystem = true
    user                   = "10001:10001"
    privileged             = false
    stopTimeout            = 90 # longer than the deregistration delay, so that what was begun is ended
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    portMappings           = [{ containerPort = var.task.port, hostPort = var.task.port, protocol = "tcp" }]
    environment            = [for name, value in var.environment_variables : { name = name, value = value }]
    secrets                = [for name, arn in var.secret_arns : { name = name, valueFrom = arn }]
    # That it listens; whether it can serve is the load balancer's question.
    healthCheck = {
      command     = ["CMD", "python", "-c", "import socket; socket.create_connection(('127.0.0.1', ${var.task.port}), 2)"]
      interval    = 10
      timeout     = 5
      retries     = 3
      startPeriod = 30
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.service.name
        "awslogs-region"        = var.region
        "awslogs-stream-prefix" = var.service
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  for_each = local.slots

  name                               = "${var.service}-${each.key}"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.service.arn
  desired_count                      = each.key == var.live_slot ? var.live_tasks : 0
  launch_type                        = "FARGATE"
  platform_version                   = "1.4.0"
  health_check_grace_period_seconds  = 60
  enable_execute_command             = false
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  availability_zone_rebalancing      = "DISABLED" # no task is moved while its slot is being judged
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  # ECS replaces tasks and leaves the weights alone; they are the engine's.
  deployment_controller {
    type = "ECS"
  }

  # A candidate that cannot start is reported as failed, and stays what it is: going back is the engine's decision.
  deployment_circuit_breaker {
    enable   = true
    rollback = false
  }

  network_configuration {
    subnets          = var.network.subnet_ids
    security_groups  = [var.network.security_group_id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = var.target_groups[each.key].arn
    container_name   = var.service
    container_port   = var.task.port
  }

  service_registries {
    registry_arn = aws_service_discovery_service.slot[each.key].arn
  }

  lifecycle {
    ignore_changes = [desired_count, task_definition]
  }
}
