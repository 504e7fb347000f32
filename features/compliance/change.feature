@approval
Feature: What was applied is what was approved
  An apply without a saved plan does what it thinks of at that moment. An apply that
  failed half-way, or on a state that somebody else had changed, leaves what nobody
  has seen. What the record does not say, was not looked at, and is no pass.

  @PROC-01
  Scenario: The approved plan was applied, whole and undisturbed
    Given the change of the infrastructure
    When the record of its apply is held against the approved plan
    Then the approved plan was applied with the providers it was made with
    And the state was locked and had not changed since the plan
    And no rollout was active
    And it ended without error and left nothing to change
