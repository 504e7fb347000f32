@account
Feature: The environment is what was declared, and nobody changed it by hand
  A target group that somebody deleted, or a port that somebody opened, stands in
  no review. What the account holds is compared with the inventory that was taken
  when the approved plan had been applied. A kind of resource that could not be
  listed, or that no inventory knows, is no pass.

  @PRE-01
  Scenario: Everything that the environment declares exists
    Given the account under release
    When its resources are looked at
    Then every kind of resource that the environment declares exists
    And these live checks hold for every resource that they concern
      | live check           | which says                                                  |
      | network.zones        | VPC: private and public subnets in enough zones             |
      | balancer.both_groups | public rule: forwards to both slots, whatever their weights |

  @PRE-01
  Scenario: Nothing was added, removed or opened by hand
    Given the account under release
    When its resources are looked at
    Then exactly what was applied exists, but for what the engine registers

  @PRE-16 @approval
  Scenario: The plan was approved, and loses nothing unnamed
    Given the change of the infrastructure
    When its plan is held against what was approved
    Then it is the very plan that people approved who did not write it
    And the plan is whole and was made of the code under release
    And nothing that holds data is destroyed or replaced but what the approval names
