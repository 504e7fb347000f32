@policy @hipaa @soc2 @gdpr
Feature: Every control of the catalogue was looked at before the release
  A control is supported by policies over the code, by checks of the live account,
  and by what people vouch for; it is as good as the worst of them. A check that
  could not run, an attestation that nobody signed and an exception that has
  expired are no pass. What no check sees is called a gap, and told. Passing
  checks support a control; whether it is met, people judge.

  Background:
    Given the catalogue of controls

  @PRE-09
  Scenario: HIPAA, SOC 2 and GDPR controls are supported by evidence
    When code, account and people are asked about every control
    Then every HIPAA control is supported by all that it names
    And every SOC 2 control is supported by all that it names
    And every GDPR control is supported by all that it names
    And what nobody checks is told with its control

  @PRE-09
  Scenario: Accepted findings have an owner, a reason and an end
    When code, account and people are asked about every control
    Then every accepted finding has an owner, a reason, an approver and an end to come
