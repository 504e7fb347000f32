Feature: Harm to customers takes traffic back
  Triggers are armed from the first shift to the end of the stability time. They
  count consecutive closed minutes, strictly over their limit. A minute without
  data neither counts nor resets; three of them in a row are too many, because a
  version that nobody can see is not safe.

  @TRIG-01
  Scenario Outline: Errors over 1% for five consecutive minutes
    Given a candidate that serves 25% of customers
    When minutes of 1000 requests bring these errors: <errors>
    Then the rollout <outcome>

    Examples: below, at and above the limit, in a row or not
      | errors                     | outcome                   |
      | 11 11 11 11                | goes on                   |
      | 10 10 10 10 10 10 10       | goes on                   |
      | 11 11 11 11 11             | rolls back after minute 5 |
      | 11 0 11 0 11 0 11 0 11     | goes on                   |
      | 11 11 0 11 11 11           | goes on                   |
      | 0 0 11 11 11 11 11         | rolls back after minute 7 |
      | refused refused 11 11 11   | rolls back after minute 5 |

  @TRIG-01
  Scenario Outline: A minute without data neither counts nor resets
    Given a candidate that serves 25% of customers
    When minutes of 1000 requests bring these errors: <errors>
    Then the rollout <outcome>

    Examples: blind and thin minutes among bad ones, and blindness itself
      | errors                     | outcome                   |
      | 11 11 blind 11 11 11       | rolls back after minute 6 |
      | 11 11 few 11 11 11         | rolls back after minute 6 |
      | 0 blind blind 0 0          | goes on                   |
      | 0 blind blind blind        | rolls back as blind       |

  @TRIG-01
  Scenario Outline: The triggers stay armed whatever the rollout waits for
    Given a candidate that serves 25% of customers
    When it is <waiting> and five minutes bring 11 errors of 1000 requests each
    Then the rollout rolls back

    Examples: every state in which customers meet the candidate
      | waiting                       |
      | paused by an operator         |
      | held for lack of data         |
      | watched with all customers    |
      | taken over by another engine  |

  @TRIG-02
  Scenario Outline: Response time over 500 ms for five minutes
    Given a candidate that serves 25% of customers
    When minutes have these 95th percentiles in ms: <p95>
    Then the rollout <outcome>

    Examples: below, at and above the limit, in a row or not
      | p95                         | outcome                   |
      | 501 501 501 501             | goes on                   |
      | 500 500 500 500 500 500     | goes on                   |
      | 501 501 501 501 501         | rolls back after minute 5 |
      | 501 501 400 501 501 501     | goes on                   |

  @TRIG-02
  Scenario Outline: Five percent of slow requests are the limit
    Given a candidate that serves 25% of customers
    When minutes of 1000 requests have these over 500 ms: <slow>
    Then the rollout <outcome>

    Examples: at and above the limit
      | slow           | outcome                   |
      | 50 50 50 50 50 | goes on                   |
      | 51 51 51 51 51 | rolls back after minute 5 |

  @TRIG-03
  Scenario Outline: CPU over 90% for ten minutes
    Given a candidate that serves 25% of customers
    When minutes have these CPU percentages: <cpu>
    Then the rollout <outcome>

    Examples: below, at and above the limit
      | cpu                           | outcome                    |
      | 91 91 91 91 91 91 91 91 91    | goes on                    |
      | 90 90 90 90 90 90 90 90 90 90 | goes on                    |
      | 91 91 91 91 91 91 91 91 91 91 | rolls back after minute 10 |

  @TRIG-04
  Scenario Outline: Memory over 95% for five minutes
    Given a candidate that serves 25% of customers
    When minutes have these memory percentages: <memory>
    Then the rollout <outcome>

    Examples: below, at and above the limit
      | memory         | outcome                   |
      | 96 96 96 96    | goes on                   |
      | 95 95 95 95 95 | goes on                   |
      | 96 96 96 96 96 | rolls back after minute 5 |

  @TRIG-05
  Scenario Outline: More than half of the targets failing for three minutes
    Given a candidate that serves 25% of customers
    When minutes show these failing of registered targets: <targets>
    Then the rollout <outcome>

    Examples: below, at and above the limit, and nobody there
      | targets     | outcome                   |
      | 2/3 2/3     | goes on                   |
      | 2/4 2/4 2/4 | goes on                   |
      | 2/3 2/3 2/3 | rolls back after minute 3 |
      | 0/0 0/0 0/0 | rolls back after minute 3 |

  @TRIG-01 @drill
  Scenario: A candidate that answers errors is taken back
    Given the drill "candidate answers errors"
    When the rollout has ended
    Then it was taken back by "TRIG-01" at the first stage
    And the trigger saw 5 consecutive minutes over 1%

  @TRIG-02 @drill
  Scenario: A candidate that is slow is taken back
    Given the drill "candidate is slow while the stable side is scaled in"
    When the rollout has ended
    Then it was taken back by "TRIG-02" at the first stage
    And the trigger saw 5 consecutive minutes over 500 ms

  @TRIG-03 @drill
  Scenario: A candidate that burns CPU is taken back
    Given the drill "candidate burns CPU while container service and alerts are down"
    When the rollout has ended
    Then it was taken back by "TRIG-03" at the first stage
    And the trigger saw 10 consecutive minutes over 90%
    And the number of tasks is shown beside it

  @TRIG-04 @drill
  Scenario: A candidate that fills its memory is taken back
    Given the drill "candidate fills its memory while the stable side is scaled to zero"
    When the rollout has ended
    Then it was taken back by "TRIG-04" at the first stage
    And the trigger saw 5 consecutive minutes over 95%

  @TRIG-05 @drill
  Scenario: A candidate whose targets fail is taken back
    Given the drill "candidate's targets fail and the stable side after them"
    When the rollout has ended
    Then it was taken back by "TRIG-05" at the first stage
    And the trigger saw 3 consecutive minutes over 50%
