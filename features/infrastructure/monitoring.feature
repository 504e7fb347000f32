@monitoring @policy
Feature: What happened is written down, and kept for a bounded time
  Logs without an end are a store of personal data that nobody agreed to; logs
  that end too soon leave an incident without witnesses. An alarm that asks for
  less than the engine's trigger calls nobody in time.

  @MON-01 @code
  Scenario: The code keeps logs encrypted and for a bounded time
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy      | which says                                                              |
      | CKV_RG_46   | Logs are kept for a bounded time                                        |
      | CKV_AWS_158 | Ensure that CloudWatch Log Group is encrypted by KMS                    |
      | CKV_AWS_65  | Ensure container insights are enabled on ECS cluster                    |
      | CKV_RG_14   | Every container writes logs, and every essential one has a health check |

  @MON-01 @code
  Scenario: The code's alarms are as strict as the triggers
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                                                                |
      | CKV_RG_6  | An alarm on every slot tells of over 1 % errors in 5 consecutive minutes                  |
      | CKV_RG_7  | An alarm on every slot tells of a p95 over 500 ms in 5 consecutive minutes                |
      | CKV_RG_8  | An alarm on every slot tells of over 90 % CPU in 10 consecutive minutes                   |
      | CKV_RG_9  | An alarm on every slot tells of over 95 % memory in 5 consecutive minutes                 |
      | CKV_RG_10 | An alarm on every slot tells of over half of its targets failing in 3 consecutive minutes |

  @MON-01 @account
  Scenario: Logs of the account are encrypted and kept bounded
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check        | which says                                              |
      | logs.retention    | log group: keeps its lines long enough and not for ever |
      | logs.encrypted    | log group: is encrypted with a key of ours              |
      | network.flow_logs | VPC: its traffic is recorded                            |
