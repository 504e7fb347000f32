Feature: A rollback moves customers first and says only what it has seen
  Customers are moved before anything else, because every other step can wait
  and may fail. Success is reported only after the public address was answered
  by the stable side; until then people are told that it is not verified.

  @RB-01 @drill
  Scenario: The first effect of a rollback is the listener
    Given the drill "candidate answers errors"
    When the rollout has ended
    Then the listener was the first thing that the rollback changed
    And the candidate served its last request within 1 second of the decision

  @RB-01 @drill
  Scenario: Traffic moves although the container service is down
    Given the drill "candidate burns CPU while container service and alerts are down"
    When the rollout has ended
    Then all customers were back on the stable side
    And the rollback was verified

  @RB-01 @drill
  Scenario: Capacity comes first when nobody is there to take over
    Given the drill "candidate fills its memory while the stable side is scaled to zero"
    When the rollout has ended
    Then the stable side got capacity before it got customers
    And the reason for the order was recorded

  @RB-02 @drill
  Scenario: The stable side is back at its size
    Given the drill "candidate is slow while the stable side is scaled in"
    When the rollout has ended
    Then the stable side ran at least its recorded number of tasks
    And its scale-in was released only after that

  @RB-03 @drill
  Scenario: Health is verified through the public address
    Given the drill "candidate answers errors"
    When the rollout has ended
    Then the public address was answered by the stable side several times in a row
    And every target of the stable side was healthy

  @RB-03 @drill
  Scenario: A rollback that cannot be verified says so
    Given the drill "candidate's targets fail and the stable side after them"
    When the rollout was left to itself
    Then the rollback was reported as not verified
    And people were told that it is not verified
    And nothing said that it succeeded

  @RB-04 @drill
  Scenario: The operations team is told cause, figures and outcome
    Given the drill "candidate answers errors"
    When the rollout has ended
    Then alerts told the start, the rollback with its figures and its outcome

  @RB-04 @drill
  Scenario: A dead alert channel delays no traffic
    Given the drill "candidate burns CPU while container service and alerts are down"
    When the rollout has ended
    Then all customers were back on the stable side
    And the candidate served its last request within 1 second of the decision
    And the undelivered alerts are on record

  @RB-05 @drill
  Scenario: The candidate goes only after the stable side is verified
    Given the drill "candidate answers errors"
    When the rollout has ended
    Then the candidate was scaled down after the verification
    And no weight led to it and its revision is kept

  @RB-05 @drill
  Scenario: The candidate is kept while the stable side is not verified
    Given the drill "candidate's targets fail and the stable side after them"
    When the rollout was left to itself
    Then the candidate was not scaled down

  @MET-03 @drill
  Scenario: A rollback is verified in under 5 minutes
    Given the drill "candidate answers errors"
    When the rollout has ended
    Then decision to verified health took under 5 minutes

  @MET-04 @drill
  Scenario: No other request fails while traffic is taken back
    Given the drill "candidate answers errors"
    When the rollout has ended
    Then only requests that the candidate itself answered with an error failed
    And each of them is in the candidate's own log
