# Both slots scale from 2 to 20 tasks by CPU, memory and requests: the one that carries customers, and the way back. The
# engine holds, suspends and releases this during a rollout, so limits and suspension are not taken back by an apply.

locals {
  tasks_min = 2
  tasks_max = 20
  signals = {
    cpu      = { metric = "ECSServiceAverageCPUUtilization", target = 60 }
    memory   = { metric = "ECSServiceAverageMemoryUtilization", target = 70 }
    requests = { metric = "ALBRequestCountPerTarget", target = 1000 }
  }
  policies = {
    for pair in setproduct(local.slots, keys(local.signals)) : join("-", pair) => { slot = pair[0], signal = pair[1] }
  }
}

resource "aws_appautoscaling_target" "slot" {
  for_each = local.slots

  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this[each.key].name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = local.tasks_min
  max_capacity       = local.tasks_max

  # A slot without customers has no tasks, which a minimum of two would bring back.
  suspended_state {
    dynamic_scaling_in_suspended  = each.key != var.live_slot
    dynamic_scaling_out_suspended = each.key != var.live_slot
    scheduled_scaling_suspended   = each.key != var.live_slot
  }

  lifecycle {
    ignore_changes = [min_capacity, max_capacity, suspended_state]
  }
}

resource "aws_appautoscaling_policy" "slot" {
  for_each = local.policies

  name               = "${var.service}-${each.key}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.slot[each.value.slot].service_namespace
  resource_id        = aws_appautoscaling_target.slot[each.value.slot].resource_id
  scalable_dimension = aws_appautoscaling_target.slot[each.value.slot].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = local.signals[each.value.signal].target
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = local.signals[each.value.signal].metric
      resource_label = (
        each.value.signal == "requests"
        ? "${var.load_balancer_suffix}/${var.target_groups[each.value.slot].suffix}"
        : null
      )
    }
  }
}
