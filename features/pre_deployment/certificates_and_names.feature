Feature: Customers reach the load balancer under a certificate that they trust
  An expired certificate or a record that leads elsewhere is an outage that no
  rollback mends. Both are asked of the live address and of the hosted zone, as
  a customer and an operator would see them.

  Background:
    Given the environment under release

  @PRE-03
  Scenario: The certificate is trusted, right and far from expiry
    When a customer opens a TLS connection to the public address
    Then the presented chain is complete and trusted
    And the certificate names the host and is valid for at least 30 more days
    And its key is at least RSA 2048 or P-256
    And it is the certificate that the listener declares

  @PRE-03
  Scenario: Only modern TLS is offered
    When clients offer old protocols and weak ciphers to the public address
    Then only TLS 1.2 and TLS 1.3 are accepted
    And no weak cipher is accepted

  @PRE-04
  Scenario: Names lead to the load balancer that will be shifted
    When the hosted zone and a resolver are asked for the public name
    Then both lead to the load balancer under release
    And the records expire within 300 seconds or are aliases
    And no record of the zone leads nowhere
    And the certificate covers the names and its issuer is allowed
