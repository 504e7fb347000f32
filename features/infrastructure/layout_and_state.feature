@policy
Feature: Environments are built from one code and kept apart
  What was tried in staging is what production gets only if both are the same
  code with other values. State that lies on one machine, a provider that is not
  pinned, or an address that somebody copied makes the next apply a surprise. A
  file that cannot be read was not judged, and counts against the release.

  @IAC-01 @code
  Scenario: Every environment has the guide's files and modules
    Given the infrastructure code
    When its directories are read
    Then production, staging and development each hold main, variables, outputs and their values
    And each uses the modules networking, compute, database, security and monitoring
    And backend and providers are the shared ones

  @IAC-01 @code
  Scenario: Environments differ only in their variables
    Given the infrastructure code
    When its directories are read
    Then environments differ in their values and the place of their state only
    And each keeps a state of its own

  @IAC-01 @code
  Scenario: An apply leaves to the engine what the engine moves
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy   | which says                                                             |
      | CKV_RG_2 | An apply leaves the weights of both slots alone                        |
      | CKV_RG_3 | An apply leaves desired count and task definition of every slot alone  |

  @IAC-02 @code
  Scenario: The code keeps its state remote, locked and encrypted
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                          |
      | CKV_RG_47 | Terraform's state is remote, locked and encrypted   |

  @IAC-02 @account
  Scenario: The account's state is private, encrypted and locked
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check        | which says                                            |
      | state.private     | state bucket: is open to nobody outside               |
      | state.encrypted   | state bucket: is encrypted with a key of KMS          |
      | state.versioned   | state bucket: keeps old versions                      |
      | state.holds_state | state bucket: holds the state                         |
      | state.locked      | state bucket: its state is locked while it is changed |

  @IAC-04 @code
  Scenario: Variables and outputs say what they take and give
    Given the infrastructure code
    When its directories are read
    Then every variable has a type, a description and bounds
    And every output has a description

  @IAC-04 @code
  Scenario: Providers are pinned to versions and to one account
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                                                |
      | CKV_RG_48 | Terraform and its providers are pinned and locked                         |
      | CKV_RG_57 | Nothing is planned in another account or region than the declared one     |

  @IAC-04 @code
  Scenario: No secret stands in a file
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                            |
      | CKV_RG_29 | No secret stands in code or in a variables file       |

  @IAC-04 @code
  Scenario: The engine's settings are read and never copied
    Given the infrastructure code
    When its directories are read
    Then no address of a resource is written by hand
    And the engine's settings come from each environment's outputs

  @IAC-04 @account
  Scenario: The account is the declared one, as its outputs say
    Given the account under release
    When its resources are looked at
    Then it is the account that the environment names
    And every address in the environment's outputs leads to a resource of it
