# Hosts for load tests: none between tests, as many as a test asks for during one. They are configured by Ansible over
# Session Manager, so no port is open and no key exists.

resource "aws_iam_role" "load" {
  name = "load-generator"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

# What Session Manager's agent does, and nothing else of the AWS managed policy for it.
resource "aws_iam_role_policy" "load" {
  name = "sessions"
  role = aws_iam_role.load.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "RegisterTheHost"
        Effect   = "Allow"
        Action   = "ssm:UpdateInstanceInformation"
        Resource = "arn:aws:ec2:${var.region}:${var.account_id}:instance/*"
      },
      {
        Sid    = "HoldSessions" # the actions have no resource
        Effect = "Allow"
        Action = [
          "ssmmessages:CreateControlChannel",
          "ssmmessages:CreateDataChannel",
          "ssmmessages:OpenControlChannel",
          "ssmmessages:OpenDataChannel",
        ]
        Resource = "*"
      },
    ]
  })
}

resource "aws_iam_instance_profile" "load" {
  name = "load-generator"
  role = aws_iam_role.load.name
}

resource "aws_launch_template" "load" {
  name                   = "load-generator"
  image_id               = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
  instance_type          = var.load_generators.instance_type
  update_default_version = true
  ebs_optimized          = true

  iam_instance_profile {
    arn = aws_iam_instance_profile.load.arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  network_interfaces {
    associate_public_ip_address = false
    delete_on_termination       = true
    security_groups             = [var.network.load_security_group]
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = 20
      volume_type           = "gp3"
      encrypted             = true
      kms_key_id            = var.key_arns.data
      delete_on_termination = true
    }
  }
}

resource "aws_autoscaling_group" "load" {
  name                = "load-generators"
  min_size            = 0
  max_size            = var.load_generators.max
  desired_capacity    = 0
  vpc_zone_identifier = var.network.subnet_ids
  health_check_type   = "EC2"

  launch_template {
    id      = aws_launch_template.load.id
    version = aws_launch_template.load.latest_version
  }

  tag {
    key                 = "Name"
    value               = "load-generator"
    propagate_at_launch = true
  }

  # A test sets it, and sets it back.
  lifecycle {
    ignore_changes = [desired_capacity]
  }
}
