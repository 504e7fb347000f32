Feature: The public address is as safe after the release as before
  The candidate answers now. What customers' browsers rely on, the certificate
  and the security headers, is asked of it again, error pages included.

  Background:
    Given the environment under release

  @VAL-07
  Scenario: The certificate is still trusted, right and far from expiry
    When a customer opens a TLS connection to the public address
    Then the presented chain is complete and trusted
    And the certificate names the host and is valid for at least 30 more days
    And it is the certificate that the listener declares

  @VAL-08
  Scenario: Every kind of answer carries the security headers
    When a browser loads good, refused and missing pages
    Then each answer carries strict transport, content, framing and referrer rules
    And no answer tells the server's version
    And every cookie is Secure, HttpOnly and SameSite

  @VAL-08
  Scenario: Plain HTTP leads to HTTPS
    When a browser opens the public address over plain HTTP
    Then it is led to the same address over HTTPS
