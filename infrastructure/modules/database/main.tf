# PostgreSQL over two zones, and its replica in another region with a key of its own. TLS is forced, people and tasks sign
# in with IAM, and the one password that exists is made, kept and changed by RDS: it is in no state and no variable.

locals {
  family = "postgres16"
  parameters = {
    "log_connections"            = "1"
    "log_disconnections"         = "1"
    "log_statement"              = "ddl"
    "log_min_duration_statement" = "1000" # milliseconds
  }
}

resource "aws_db_subnet_group" "this" {
  name       = var.service
  subnet_ids = var.network.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name   = "${var.service}-${local.family}"
  family = local.family

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  dynamic "parameter" {
    for_each = local.parameters

    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "database" {
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/${var.service}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arns.logs
}

resource "aws_db_instance" "primary" {
  identifier                  = var.service
  engine                      = "postgres"
  engine_version              = "16.8"
  instance_class              = var.instance_class
  db_name                     = replace(var.service, "-", "_")
  username                    = "administrator"
  manage_master_user_password = true
  # The master password, in Secrets Manager under our own key; RDS changes it every seven days.
  master_user_secret_kms_key_id       = var.key_arns.secrets
  iam_database_authentication_enabled = true

  allocated_storage     = var.storage_gib
  max_allocated_storage = var.storage_gib * 5
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = var.key_arns.data

  multi_az               = true
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.network.database_security_group]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  backup_retention_period   = var.backup_retention_days
  backup_window             = "02:00-02:30"
  maintenance_window        = "sun:03:00-sun:04:00"
  copy_tags_to_snapshot     = true
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = !var.deletion_protection
  final_snapshot_identifier = var.deletion_protection ? "${var.service}-final" : null

  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.key_arns.data
  monitoring_interval             = 60
  monitoring_role_arn             = var.monitoring_role_arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  depends_on = [aws_cloudwatch_log_group.database]
}

# ---------------------------------------------------------------------------------------------- replica

resource "aws_db_subnet_group" "replica" {
  provider = aws.replica

  name       = "${var.service}-replica"
  subnet_ids = var.replica.subnet_ids
}

resource "aws_db_parameter_group" "replica" {
  provider = aws.replica

  name   = "${var.service}-replica-${local.family}"
  family = local.family

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  dynamic "parameter" {
    for_each = local.parameters

    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "replica" {
  provider = aws.replica

  identifier          = "${var.service}-replica"
  replicate_source_db = aws_db_instance.primary.arn
  instance_class      = var.instance_class

  storage_encrypted                   = true
  kms_key_id                          = var.replica.key_arns.data
  iam_database_authentication_enabled = true

  multi_az               = true
  db_subnet_group_name   = aws_db_subnet_group.replica.name
  vpc_security_group_ids = [var.replica.security_group_id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.replica.name
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  backup_retention_period = var.backup_retention_days # ready to be promoted
  copy_tags_to_snapshot   = true
  deletion_protection     = var.deletion_protection
  skip_final_snapshot     = true # everything in it is in the primary's

  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.replica.key_arns.data
  monitoring_interval             = 60
  monitoring_role_arn             = var.monitoring_role_arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
}

# An alarm acts in its own region only, hence a topic there.
resource "aws_sns_topic" "replica" {
  provider = aws.replica

  name              = "${var.service}-replica"
  kms_master_key_id = var.replica.key_arns.messages
}

resource "aws_sns_topic_subscription" "replica" {
  provider = aws.replica
  for_each = toset(var.alert_emails)

  topic_arn = aws_sns_topic.replica.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_cloudwatch_metric_alarm" "replica_lag" {
  provider = aws.replica

  alarm_name          = "${var.service}-replica-lag"
  alarm_description   = "The replica is further behind than its objective, or nobody knows how far"
  namespace           = "AWS/RDS"
  metric_name         = "ReplicaLag"
  dimensions          = { DBInstanceIdentifier = aws_db_instance.replica.identifier }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.replica.lag_seconds_max
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.replica.arn]
  ok_actions          = [aws_sns_topic.replica.arn]
}
