@compute @policy
Feature: Tasks run small, closed and in sufficient number
  A container with root rights is a way into everything beside it, one without
  limits takes its neighbours down, and a slot that cannot scale is no way back.
  What the engine owns, weights and counts, no apply may take back.

  @CMP-01 @code
  Scenario: The code runs services on Fargate without rights
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                                                      |
      | CKV_RG_16 | Services run on Fargate under a deployment controller that leaves weights alone |
      | CKV_RG_12 | Every container has a read-only root, another user than root, and no privileges |
      | CKV_RG_15 | Services run in private subnets, without public addresses                       |

  @CMP-01 @account
  Scenario: The account runs services on Fargate without rights
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                      | which says                                                          |
      | containers.on_fargate           | service: runs on Fargate                                            |
      | containers.no_public_address    | service: its tasks have no public address                           |
      | containers.leaves_weights       | service: its deployment controller leaves the weights to the engine |
      | task_definitions.read_only_root | task definition: every container has a read-only root file system   |
      | task_definitions.not_root       | task definition: no container runs as root                          |
      | task_definitions.not_privileged | task definition: no container is privileged or given capabilities   |

  @CMP-02 @code
  Scenario: The code scales both slots from 2 to 20
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy   | which says                                    |
      | CKV_RG_4 | Every slot scales between 2 and 20 tasks      |
      | CKV_RG_5 | Every slot scales on CPU, memory and requests |

  @CMP-02 @account
  Scenario: The account scales both slots from 2 to 20
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check      | which says                                         |
      | scaling.bounds  | scaled service: scales between the declared bounds |
      | scaling.signals | scaled service: scales on CPU, memory and requests |
      | scaling.awake   | scaled service: may scale out                      |

  @CMP-03 @code
  Scenario: The code registers each slot under its own name
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                                          |
      | CKV_RG_17 | Every slot is registered in Cloud Map, each under a name of its own |

  @CMP-03 @account
  Scenario: Each slot's tasks are found under its own name
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                | which says                                                                         |
      | discovery.apart           | slot: has a name of its own, and not the one callers use while it is the candidate |
      | discovery.registered      | slot: registers its tasks with Cloud Map                                           |
      | discovery.instances_match | slot: has exactly its running tasks as instances                                   |

  @CMP-04 @code
  Scenario: The code limits tasks and names images by digest
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                                              |
      | CKV_RG_13 | Every task and every container has its limits                           |
      | CKV_RG_14 | Every container writes logs, and every essential one has a health check |
      | CKV_RG_11 | Every container runs an image that is named by its digest               |

  @CMP-04 @account
  Scenario: Tasks in the account are limited, logged and checked
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                       | which says                                                                            |
      | task_definitions.limits          | task definition: CPU and memory of the task and memory of every container are limited |
      | task_definitions.health_check    | task definition: every essential container has a health check                         |
      | task_definitions.logs            | task definition: every container writes its log somewhere                             |
      | task_definitions.image_by_digest | task definition: every image is named by its digest                                   |
