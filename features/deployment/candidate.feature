Feature: The candidate is proven before a customer meets it
  Whatever can be known about the candidate is asked on its own address, while
  all customers are still on the stable side. Silence counts as not proven.

  Background:
    Given the rehearsed release

  @DUR-01
  Scenario: The candidate runs the released image in several zones
    When the candidate was ready
    Then its desired tasks ran the released image
    And they were spread over at least 2 zones

  @DUR-02
  Scenario: The candidate is healthy before it takes a customer
    When the candidate was ready
    Then every health endpoint answered green on the candidate's own address
    And no request of a customer had reached the candidate

  @DUR-04
  Scenario: All targets of both sides are healthy
    When the candidate was ready
    Then all targets of both sides were healthy
    And every component was healthy on the candidate's own address

  @PROC-04
  Scenario: Only the candidate's service gets the new image
    When the candidate was ready
    Then its revision differed from the running one in its image only
    And the candidate's service alone was updated
    And none of its tasks died on the way

  @PROC-07
  Scenario: The candidate is reached on its own address only
    When the candidate was ready
    Then its own address answered with the candidate's slot, version and image
    And its own address was closed to the public
    And no request of a customer had reached the candidate

  @PROC-09
  Scenario: Both sides answer the same shallow health check
    When the candidate was ready
    Then both target groups checked "/health" for status 200 alike
    And the health check was in force before the first shift
