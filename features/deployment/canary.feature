Feature: Customers move to the candidate step by step
  A bad version that meets 5 percent of the customers for 15 minutes costs
  little; one that meets all of them at once is an outage. Each step is proven
  by what customers really got, and a step that cannot be proven does not grow.

  @PROC-10
  Scenario: The plan has the guide's stages and bakes
    Given the plan in force
    When its stages are read
    Then customers move in shares of 5%, 25%, 50% and 100%
    And the first stage is watched for at least 15 minutes
    And every later stage is watched for at least 2 minutes

  @PROC-11
  Scenario: The plan watches all customers for 30 minutes
    Given the plan in force
    When its stages are read
    Then all customers are watched for at least 30 minutes

  @PROC-10
  Scenario: Every stage grew on its own stored proof
    Given the rehearsed release
    When it has ended
    Then each growth had a stored PASS of the stage before

  @DUR-07
  Scenario: Customers really moved in these shares and in this order
    Given the rehearsed release
    When it has ended
    Then the observed shares were 5%, 25%, 50% and 100% in this order
    And no request of a customer had reached the candidate

  @DUR-06
  Scenario: Performance stayed within range at every stage
    Given the rehearsed release
    When it has ended
    Then error rate, response time, CPU and memory passed at every stage

  @MET-02
  Scenario: The plan can reach all customers in under 30 minutes
    Given the plan in force
    When its times are added up
    Then all customers are reached in under 30 minutes

  @MET-02
  Scenario: The release reached all customers in under 30 minutes
    Given the rehearsed release
    When it has ended
    Then all customers were reached in under 30 minutes

  @MET-04
  Scenario: No request fails while customers move
    Given the rehearsed release
    When it has ended
    Then no request failed from the first shift to the end
    And the stream was sent as intended
