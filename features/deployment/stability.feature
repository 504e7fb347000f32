Feature: The way back stays warm until the candidate has proven itself
  For 30 minutes with all customers the old side stands ready and the triggers
  stay armed. Only then do names follow, and only after the names does the old
  side go. Taken away too early, the last working copy is gone.

  Background:
    Given the rehearsed release

  @PROC-11
  Scenario: The candidate is watched for 30 minutes with all customers
    When it has ended
    Then all customers were watched for at least 30 verified minutes
    And the triggers stayed armed in every one of them
    And the stable side stayed attached, at its size and healthy

  @DUR-10
  Scenario: The live name follows before the old side goes
    When it has ended
    Then the live name was in sync and resolved to the candidate's slot
    And the old side served until the name's lifetime had passed

  @PROC-12
  Scenario: The change of names is declared and can be undone
    When it has ended
    Then only the declared record of the declared zone was changed
    And the change was planned before and its reverse was stored
    And the change came before the old side was scaled down

  @DUR-09
  Scenario: The old side is scaled down without cutting anybody off
    When it has ended
    Then the old side has no task left and its revision is kept
    And it was scaled down only after it had lost all weight
    And no request failed while it drained
