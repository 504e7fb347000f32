@policy
Feature: The release left every control as well supported as before
  A release changes images, weights and tasks; a colleague may change a bucket in
  the meantime. Code, account and people are asked again when the candidate has all
  customers. What could not be asked again is no pass.

  Background:
    Given the catalogue of controls

  @VAL-10 @hipaa
  Scenario: Every HIPAA safeguard has checks in code and account that hold
    When code, account and people are asked again
    Then every HIPAA control is supported by all that it names

  @VAL-11 @soc2
  Scenario: Every SOC 2 criterion has checks in code and account that hold
    Given the change of the infrastructure
    When code, account and people are asked again
    Then every SOC 2 control is supported by all that it names
    And somebody else than its author approved the change

  @VAL-12 @gdpr
  Scenario: Every GDPR article has checks in code and account that hold
    When code, account and people are asked again
    Then every GDPR control is supported by all that it names
