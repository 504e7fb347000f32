@audit
Feature: The release tells its own story, and nobody rewrote it
  The journal is the document that an auditor reads. An entry that was changed, cut
  or slipped in breaks the chain of hashes. A rollout without a journal is no pass.

  @ARCH-07
  Scenario: The journal is whole and announces every effect before it
    Given the rehearsed release
    When its journal is read
    Then every entry follows the one before it unchanged
    And every effect was announced before it happened
