Feature: The endpoints tell the truth about the service
  Monitors, the load balancer and the release gate act on what these addresses
  say. An endpoint that answers green while its component is down lets a bad
  version reach every customer. An endpoint that does not answer counts against
  the release.

  Background:
    Given the environment under release

  @HEALTH-01
  Scenario: Basic health names the version and slot that answer
    When a monitor asks the public address for "/health"
    Then it is answered 200 in under 1 second
    And the answer names the slot and version that carry the customers

  @HEALTH-02
  Scenario: Detailed health reports every declared component
    When a monitor asks the public address for "/health/detailed"
    Then database, cache and external dependencies are each reported up
    And each report agrees with the component's own endpoint

  @HEALTH-03
  Scenario: Database health tries a read and a write
    When a monitor asks the public address for "/health/database"
    Then the component is up and was read and written

  @HEALTH-04
  Scenario: Cache health tries a read and a write
    When a monitor asks the public address for "/health/cache"
    Then the component is up and was read and written

  @HEALTH-05
  Scenario: External health tries each dependency within a time limit
    When a monitor asks the public address for "/health/external"
    Then every dependency was tried and is up
    And it was answered in under 1 second

  @API-01
  Scenario: The status endpoint answers its published shape
    When a customer asks for "/api/v1/status"
    Then the answer has the shape of the OpenAPI document

  @API-02
  Scenario: Only genuine tokens are accepted
    When a client signs in by OAuth2
    Then its token is accepted
    And missing, expired, misdirected, forged and altered tokens are refused with 401

  @ARCH-02
  Scenario: Sign-in issues tokens that every part of the service accepts
    When a client signs in by OAuth2
    Then its token is accepted
    And its token opens the core features
