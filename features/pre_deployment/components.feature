Feature: Health turns red when a component really fails
  A health endpoint that was only ever seen green proves nothing. Here the
  component is taken away and given back, in a sandbox of its own, and the
  endpoint has to follow both ways.

  @HEALTH-03 @drill
  Scenario: Database health follows the database down and up
    Given the drill "components fail and return"
    When the database was stopped and started again
    Then "/health/database" was red while the database was stopped
    And "/health/database" was green after the database returned

  @HEALTH-03 @drill
  Scenario: Database health is red when the database only reads
    Given the drill "components fail and return"
    When the database refused writes
    Then "/health/database" was red while the database refused writes

  @HEALTH-04 @drill
  Scenario: Cache health follows the cache down and up
    Given the drill "components fail and return"
    When the cache was stopped and started again
    Then "/health/cache" was red while the cache was stopped
    And "/health/cache" was green after the cache returned

  @HEALTH-05 @drill
  Scenario: A hanging dependency does not hang its health endpoint
    Given the drill "components fail and return"
    When an external dependency hung
    Then "/health/external" was red while the dependency hung
    And "/health/external" was answered in time while the dependency hung
