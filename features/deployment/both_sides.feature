Feature: Customers keep their session and their limits on both sides
  During a canary one customer may be answered by either side. Whoever is
  signed in stays signed in, and whoever is limited is limited on both.

  Background:
    Given the rehearsed release

  @ARCH-11
  Scenario: A signed-in customer goes on on the other side
    When customers were answered by both sides
    Then tokens and sessions of the stable side were good on the candidate
    And tokens and sessions of the candidate were good on the stable side

  @ARCH-03
  Scenario: The rate limit is shared by both sides
    When customers were answered by both sides
    Then a client over its limit was answered 429 with Retry-After on both sides
    And another client was not limited by it
    And the client was served again after the time it was told to wait
