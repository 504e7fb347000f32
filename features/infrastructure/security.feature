@secrets @policy
Feature: Keys, secrets and rights are as small as they can be
  A key that is never rotated, a password in a variable and a role that may do
  everything each turn one mistake into all of them. A firewall that only counts
  protects nobody. What could not be read is not clean.

  @SEC-01 @code
  Scenario: The code rotates keys and names who may use them
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy     | which says                                                    |
      | CKV_AWS_7  | Ensure rotation for customer created CMKs is enabled          |
      | CKV_AWS_33 | Ensure KMS key policy does not contain wildcard (*) principal |

  @SEC-01 @account
  Scenario: The account's keys rotate and name who may use them
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                 | which says                                  |
      | keys.rotation              | key: is rotated every year                  |
      | keys.no_wildcard_principal | key: is open to nobody but named principals |
      | keys.enabled               | key: is enabled                             |

  @SEC-02 @code
  Scenario: The code hands secrets over by reference and rotates them
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy      | which says                                                      |
      | CKV_RG_28   | Containers get secrets by reference, never in their environment |
      | CKV_RG_29   | No secret stands in code or in a variables file                 |
      | CKV_RG_30   | Every secret is rotated at least every 90 days                  |
      | CKV_AWS_149 | Ensure that Secrets Manager secret is encrypted using KMS CMK   |

  @SEC-02 @account
  Scenario: Secrets of the account are referred to and rotated
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                                | which says                                                   |
      | secrets.by_reference                      | secret reference: names a secret that exists, by its ARN     |
      | secrets.rotation                          | secret: is rotated by itself, and was in time                |
      | secrets.own_key                           | secret: is encrypted with a key of ours                      |
      | task_definitions.no_secret_in_environment | task definition: no secret stands in an environment variable |

  @SEC-03 @code
  Scenario: The code gives no role everything
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                                                                   |
      | CKV_RG_31 | No policy allows all actions (of a service) on all resources                                 |
      | CKV_RG_32 | A role that people or pipelines assume asks for a second factor or for the pipeline's claims |

  @SEC-03 @account
  Scenario: No role of the account may do everything
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                   | which says                                                          |
      | roles.no_star_on_star        | role: may not do everything of a service to everything              |
      | roles.trusts_somebody        | role: cannot be taken by everybody                                  |
      | roles.published_minimum      | engine role: may do exactly what is published                       |
      | task_definitions.roles_apart | task definition: its execution role and its task role are two roles |

  @SEC-04 @code
  Scenario: The code puts a blocking firewall before every door
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                                                                      |
      | CKV_RG_26 | The web ACL blocks by the managed groups for common attacks, known bad inputs and SQL injection |
      | CKV_RG_27 | A web ACL is attached to every public door                                                      |

  @SEC-04 @account
  Scenario: The account's firewall stands before the door and blocks
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check              | which says                                                          |
      | firewall.attached       | entrance: has a web ACL                                             |
      | firewall.managed_groups | entrance: its web ACL has the managed groups against common attacks |
      | firewall.blocking       | entrance: its managed groups block and do not only count            |
      | firewall.logged         | entrance: its web ACL writes down what it refused                   |

  @SEC-04 @account
  Scenario: Attacks are refused at the door
    Given the environment under release
    When strings that only look like attacks are sent to the public address
    Then a harmless query is let in
    And script, SQL and lookup injection are refused with 403
