# Controllers: Fargate tasks of the engine's image, any of which may die at any instant. They hold no state; the table and
# the load balancer do.

resource "aws_cloudwatch_log_group" "controller" {
  name              = "/ecs/release-controller"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arns.logs
}

resource "aws_ecs_task_definition" "controller" {
  family                   = "release-controller"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = var.services.execution_role_arn
  task_role_arn            = aws_iam_role.engine["controller"].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  container_definitions = jsonencode([{
    name                   = "controller"
    image                  = var.image
    essential              = true
    cpu                    = 256
    memory                 = 512
    readonlyRootFilesystem = true
    user                   = "10001:10001"
    privileged             = false
    stopTimeout            = 30 # the lease is given back; another controller goes on
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    environment            = [{ name = "RELEASE_ENVIRONMENT", value = var.environment }]
    # That it can be a controller at all: its state can be read.
    healthCheck = {
      command     = ["CMD", "python", "-m", "rollout", "history", "--environment", var.environment]
      interval    = 60
      timeout     = 30
      retries     = 3
      startPeriod = 60
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.controller.name
        "awslogs-region"        = var.region
        "awslogs-stream-prefix" = "controller"
      }
    }
  }])
}

resource "aws_ecs_service" "controller" {
  name                               = "release-controller"
  cluster                            = var.services.cluster.arn
  task_definition                    = aws_ecs_task_definition.controller.arn
  desired_count                      = var.controller_tasks
  launch_type                        = "FARGATE"
  platform_version                   = "1.4.0"
  enable_execute_command             = false
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  availability_zone_rebalancing      = "ENABLED"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.network.subnet_ids
    security_groups  = [var.network.controller_security_group]
    assign_public_ip = false
  }

  # Who scales or restarts controllers by hand during an incident is not undone by an apply.
  lifecycle {
    ignore_changes = [desired_count]
  }
}
