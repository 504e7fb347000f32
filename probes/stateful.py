"""What is lost when Terraform removes a resource of some type.

A type is looked up by the longest entry that fits it. What is on neither list may hold data: it has to be named before
it is removed, like what is known to hold some. A new service of AWS is thereby guarded before anybody has heard of it.
"""

from __future__ import annotations

# Prefix of a resource type -> what a person would call it. The names of the provider hashicorp/aws, version 5.
STATEFUL: dict[str, str] = {
    "aws_acm_certificate": "certificate",
    "aws_acmpca_certificate_authority": "certificate authority",
    "aws_backup_vault": "vault of backups",
    "aws_cloudtrail": "audit trail",
    "aws_cloudwatch_event_archive": "archive of events",
    "aws_cloudwatch_log_group": "log",
    "aws_cloudwatch_log_stream": "log",
    "aws_cognito_user_pool": "directory of users",
    "aws_db_instance": "database",
    "aws_db_cluster_snapshot": "snapshot",
    "aws_db_snapshot": "snapshot",
    "aws_docdb_": "database",
    "aws_dynamodb_": "table",
    "aws_ebs_": "volume",
    "aws_ecr_repository": "repository of images",
    "aws_efs_file_system": "file system",
    "aws_eip": "public address",
    "aws_elasticache_": "cache",
    "aws_fsx_": "file system",
    "aws_glacier_": "archive",
    "aws_instance": "host with its disks",
    "aws_kinesis_": "stream",
    "aws_kms_": "key",
    "aws_memorydb_": "database",
    "aws_msk_": "stream",
    "aws_mq_broker": "queue",
    "aws_neptune_": "database",
    "aws_opensearch_": "search index",
    "aws_rds_": "database",
    "aws_redshift": "database",
    "aws_route53_zone": "zone of names",
    "aws_s3_bucket": "bucket",
    "aws_s3_object": "object",
    "aws_secretsmanager_secret": "secret",
    "aws_sns_topic": "topic with its subscriptions",
    "aws_sqs_queue": "queue",
    "aws_ssm_parameter": "parameter",
    "aws_timestreamwrite_": "database",
    "random_": "generated value",
    "tls_private_key": "key",
}

# Settings of something that stays, or things that are made again without loss; a final _ stands for any ending.
_STATELESS = """
    aws_alb aws_alb_ aws_api_gateway_ aws_apigatewayv2_ aws_appautoscaling_ aws_autoscaling_ aws_backup_plan
    aws_backup_selection aws_backup_vault_notifications aws_cloudwatch_composite_alarm aws_cloudwatch_dashboard
    aws_cloudwatch_event_ aws_cloudwatch_log_metric_filter aws_cloudwatch_log_subscription_filter
    aws_cloudwatch_metric_alarm aws_db_option_group aws_db_parameter_group aws_db_subnet_group
    aws_default_network_acl aws_default_route_table aws_default_security_group aws_docdb_cluster_parameter_group
    aws_docdb_subnet_group aws_dynamodb_contributor_insights aws_dynamodb_resource_policy aws_ebs_encryption_by_default
    aws_ebs_snapshot_block_public_access aws_ecr_lifecycle_policy aws_ecr_repository_policy aws_ecs_
    aws_efs_access_point aws_efs_backup_policy aws_efs_file_system_policy aws_efs_mount_target
    aws_elasticache_parameter_group aws_elasticache_subnet_group aws_flow_log aws_iam_ aws_internet_gateway
    aws_kms_alias aws_kms_grant aws_kms_key_policy aws_lambda_ aws_launch_template aws_lb aws_lb_ aws_nat_gateway
    aws_network_acl aws_network_acl_ aws_rds_cluster_parameter_group aws_redshift_parameter_group
    aws_redshift_subnet_group aws_route aws_route53_health_check aws_route53_record aws_route_table
    aws_route_table_association aws_s3_bucket_acl aws_s3_bucket_cors_configuration aws_s3_bucket_logging
    aws_s3_bucket_metric aws_s3_bucket_notification aws_s3_bucket_ownership_controls aws_s3_bucket_policy
    aws_s3_bucket_public_access_block aws_s3_bucket_server_side_encryption_configuration
    aws_secretsmanager_secret_policy aws_secretsmanager_secret_rotation aws_security_group aws_security_group_rule
    aws_service_discovery_ aws_sns_topic_policy aws_sns_topic_subscription aws_sqs_queue_policy
    aws_sqs_queue_redrive_allow_policy aws_sqs_queue_redrive_policy aws_subnet aws_vpc aws_vpc_ aws_wafv2_ aws_xray_
    null_resource terraform_data time_
"""
STATELESS = frozenset(_STATELESS.split())


def what_is_lost(resource_type: str) -> str:
    """What a person would call that which goes with a resource of this type; "" when nothing does."""
    holding = [prefix for prefix in STATEFUL if resource_type.startswith(prefix)]
    harmless = [
        name for name in STATELESS if resource_type == name or (name.endswith("_") and resource_type.startswith(name))
    ]
    if not holding and not harmless:
        return "resource of a kind that may hold data"
    return STATEFUL.get(max((*harmless, *holding), key=len), "")
