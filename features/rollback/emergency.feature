Feature: One command takes traffic back with nothing of ours running
  At night, with half of the account unreachable, an operator needs one command
  that works from a laptop. It may be run twice, at any moment, beside a live
  engine, and the engine never moves customers forward again.

  @RB-09 @drill
  Scenario: One command moves all customers back
    Given the drill "emergency command beside a live engine"
    When the emergency command was run
    Then all customers were back on the stable side
    And the command changed nothing but the two weights

  @RB-09 @drill
  Scenario: The emergency command may be run twice
    Given the drill "emergency command beside a live engine"
    When the emergency command was run again
    Then it succeeded and changed nothing

  @RB-09 @drill
  Scenario: The engine accepts the emergency and never shifts again
    Given the drill "emergency command beside a live engine"
    When the rollout has ended
    Then the engine recorded that somebody else took the share away
    And the candidate's share never rose again
