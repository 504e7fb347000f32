@policy
Feature: Hosts outside of Fargate are configured by code
  A load generator that may open 1024 files measures itself, and a runner that
  somebody set up by hand is a door to everything it deploys. The values that the
  roles write can be read anywhere. That a host so configured behaves needs a host:
  where an environment has one and nobody configured it, there is no pass.

  @IAC-03 @code
  Scenario: The roles let logins and services open enough files
    Given the playbooks for hosts that Fargate does not cover
    When their templates are rendered with the roles' own values
    Then logins and services may open at least 65536 files

  @IAC-03 @code
  Scenario: A host configured twice answers every question well
    Given the playbooks for hosts that Fargate does not cover
    When the report of hosts configured by them is read
    Then lint found nothing, a second run changed nothing and every host answered well
