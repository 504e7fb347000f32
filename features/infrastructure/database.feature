@database @policy
Feature: Data is encrypted, copied and can be brought back
  A database in one zone is an outage that waits, a backup that ends today is
  none, and data in a region that nobody agreed to cannot be called back. How far
  the replica is behind has to be known: not knowing is no pass.

  @DB-01 @code
  Scenario: The code keeps the database in two zones, with backups
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy      | which says                                                                                 |
      | CKV_RG_38   | The database stands in two zones and keeps its backups for at least 7 days                 |
      | CKV_RG_37   | The database refuses connections without TLS                                               |
      | CKV_AWS_16  | Ensure all data stored in the RDS is securely encrypted at rest                            |
      | CKV_AWS_17  | Ensure all data stored in RDS is not publicly accessible                                   |
      | CKV_AWS_293 | Ensure that AWS database instances have deletion protection enabled                        |
      | CKV_AWS_129 | Ensure that respective logs of Amazon Relational Database Service (Amazon RDS) are enabled |

  @DB-01 @account
  Scenario: The account's database stands in two zones, with backups
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                   | which says                                        |
      | database.is_postgres         | database: is PostgreSQL                           |
      | database.multi_zone          | database: stands in more than one zone            |
      | database.backed_up           | database: keeps automated backups for enough days |
      | database.encrypted           | database: is encrypted at rest                    |
      | database.tls_forced          | database: refuses connections without TLS         |
      | database.deletion_protection | database: cannot be deleted by mistake            |
      | database.private             | database: has no public address                   |

  @DB-02 @code
  Scenario: The code keeps a replica in another allowed region
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                                                                     |
      | CKV_RG_36 | Every database has a replica in another region that is on the residency list, with its own key |
      | CKV_RG_45 | Everything that holds data is in a region on the residency list                                |

  @DB-02 @account
  Scenario: The account's replica is elsewhere and close behind
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                 | which says                                             |
      | database.replica_elsewhere | database: has a replica in another region              |
      | database.replica_resident  | replica: lies in a region on the residency list        |
      | database.replica_encrypted | replica: is encrypted at rest with a key of its region |
      | database.replica_lag       | replica: lags less than the objective                  |

  @DB-03 @code
  Scenario: The code encrypts the cache and asks who calls
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                                                         |
      | CKV_RG_39 | The cache is encrypted at rest and in transit, asks for a password, and fails over |

  @DB-03 @account
  Scenario: The account's cache is encrypted and asks who calls
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                 | which says                                        |
      | cache.encrypted            | cache: is encrypted at rest                       |
      | cache.encrypted_in_transit | cache: is encrypted in transit, without exception |
      | cache.authenticated        | cache: asks who is there                          |
      | cache.fails_over           | cache: fails over by itself                       |

  @DB-04 @code
  Scenario: The code lets tables be recovered and sessions end
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy      | which says                                                            |
      | CKV_AWS_119 | Ensure DynamoDB Tables are encrypted using a KMS Customer Managed CMK |
      | CKV_AWS_28  | Ensure DynamoDB point in time recovery (backup) is enabled            |
      | CKV_RG_40   | Tables of sessions forget them by themselves                          |

  @DB-04 @account
  Scenario: Tables of the account can be recovered and sessions end
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                 | which says                                                       |
      | tables.encrypted           | table: is encrypted with a key of ours, whose use can be audited |
      | tables.recoverable         | table: can be recovered to any moment                            |
      | tables.deletion_protection | table: cannot be deleted by mistake                              |
      | tables.sessions_expire     | session table: forgets sessions by itself                        |

  @ARCH-08 @code
  Scenario: The code keeps buckets private, encrypted and versioned
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                           |
      | CKV_RG_41 | Every bucket is private                              |
      | CKV_RG_42 | Every bucket is encrypted with a key of ours         |
      | CKV_RG_43 | Every bucket keeps versions                          |
      | CKV_RG_44 | Every bucket has a lifecycle that ends what it holds |

  @ARCH-08 @account
  Scenario: Buckets of the account are private, encrypted and versioned
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check        | which says                                                                             |
      | storage.private   | bucket: is open to nobody outside                                                      |
      | storage.encrypted | bucket: is encrypted with a key of KMS, or by S3 where load balancers write their logs |
      | storage.versioned | bucket: keeps old versions                                                             |
      | storage.lifecycle | bucket: lets go of what is old                                                         |
      | storage.tls_only  | bucket: refuses plain HTTP                                                             |
