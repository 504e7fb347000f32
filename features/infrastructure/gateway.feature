@network @policy
Feature: An API gateway asks who calls, and is not passed by
  Only the gateway topology has one: behind it the load balancer is internal.
  Where an environment declares the direct topology, these scenarios do not apply,
  and say so; as soon as one such resource exists, it is judged.

  @ARCH-10 @code
  Scenario: The code throttles, logs and guards the API gateway
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                                                          |
      | CKV_RG_49 | Every stage of the API gateway is throttled                                         |
      | CKV_RG_50 | Every route of the API gateway has an authorizer, but those that are open by policy |
      | CKV_RG_51 | The API gateway's default endpoint is off                                           |
      | CKV_RG_52 | The API gateway reaches the load balancer by a private link                         |
      | CKV_RG_53 | Every stage of the API gateway writes an access log                                 |

  @ARCH-10 @account
  Scenario: The account's API gateway throttles, logs and guards
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                   | which says                                          |
      | gateway.default_endpoint_off | gateway: answers under its own domain only          |
      | gateway.access_logs          | gateway stage: writes an access log                 |
      | gateway.throttled            | gateway stage: throttles                            |
      | gateway.authorised           | route: asks who is there                            |
      | gateway.tls_policy           | gateway domain: speaks TLS 1.2 or later             |
      | gateway.private_integration  | integration: reaches the load balancer privately    |
      | gateway.outlasts_service     | integration: waits longer than the service may take |
