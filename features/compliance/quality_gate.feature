@policy
Feature: The compliance check itself is what was agreed
  A check that was taken out, or that decides by other code than when a person
  agreed to it, leaves every other line of this report as green as before. So the
  catalogue is held against the checks that exist.

  @QG-05
  Scenario: No mapped check is gone or means something else
    Given the catalogue of controls
    When code, account and people are asked about every control
    Then every check that a control names exists and means what was agreed
    And every HIPAA control is supported by all that it names
    And every SOC 2 control is supported by all that it names
    And every GDPR control is supported by all that it names
