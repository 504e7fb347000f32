@network @policy
Feature: The network lets in what is meant and nothing else
  A subnet in one zone falls with it, an open port is a door, and a route to the
  internet is a way out for customers' data. The code says what will be built;
  the account says what is there, also what somebody changed by hand. A policy
  that finds nothing to judge, or an account that refuses to answer, is no pass.

  @NET-01 @code
  Scenario: The code spreads private and public subnets over zones
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy      | which says                                                                       |
      | CKV_RG_24   | Load balancer, services, databases and caches are spread over at least two zones |
      | CKV_RG_15   | Services run in private subnets, without public addresses                        |
      | CKV_RG_23   | Subnets of services, databases and caches have no route to an internet gateway   |
      | CKV_AWS_130 | Ensure VPC subnets do not assign public IP by default                            |

  @NET-01 @account
  Scenario: The account's subnets are private and public over zones
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                    | which says                                      |
      | network.zones                 | VPC: private and public subnets in enough zones |
      | containers.in_private_subnets | service: its tasks run in private subnets only  |
      | containers.no_public_address  | service: its tasks have no public address       |

  @NET-02 @code
  Scenario: The code opens single ports to named groups
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy     | which says                                                                                 |
      | CKV_RG_18  | Only the load balancer is open to the world, on 443 and 80                                 |
      | CKV_RG_19  | Every rule of a security group opens single ports, and lets in groups instead of addresses |
      | CKV_AWS_17 | Ensure all data stored in RDS is not publicly accessible                                   |

  @NET-02 @account
  Scenario: The account's groups open single ports to named groups
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                           | which says                                                                        |
      | security_groups.world_ingress        | security group: only the public load balancer is open to the world, on 443 and 80 |
      | security_groups.ingress_names_groups | security group: every other rule names a group, not addresses                     |
      | security_groups.no_all_ports         | security group: no rule opens all ports                                           |
      | security_groups.egress_limited       | security group: does not let everything out to the world                          |

  @NET-03 @code
  Scenario: The code gives every subnet a network ACL of its own
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                                              |
      | CKV_RG_20 | Every subnet has an explicit network ACL that does not allow everything |

  @NET-03 @account
  Scenario: Every subnet of the account has an ACL of its own
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check           | which says                                                             |
      | network.acl_explicit | subnet: a network ACL of its own, not the VPC's default one            |
      | network.acl_limits   | network ACL: allows no traffic of every protocol from or to everywhere |

  @NET-04 @code
  Scenario: The code ends TLS at a guarded load balancer
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy      | which says                                                          |
      | CKV_RG_54   | The load balancer speaks TLS 1.2 and 1.3 only, without weak ciphers |
      | CKV_RG_21   | A listener without TLS only redirects to HTTPS                      |
      | CKV_AWS_131 | Ensure that ALB drops HTTP headers                                  |
      | CKV_AWS_91  | Ensure the ELBv2 (Application/Network) has access logging enabled   |
      | CKV_AWS_150 | Ensure that Load Balancer has deletion protection enabled           |

  @NET-04 @account
  Scenario: The account's load balancer ends TLS and is guarded
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                     | which says                                                                        |
      | balancer.tls_policy            | listener: speaks TLS 1.2 or later, with forward secrecy only, where it speaks TLS |
      | balancer.http_redirects        | listener: does nothing but redirect to HTTPS where it speaks HTTP                 |
      | balancer.drops_invalid_headers | load balancer: drops headers that HTTP does not allow                             |
      | balancer.access_logs           | load balancer: writes an access log                                               |
      | balancer.deletion_protection   | load balancer: cannot be deleted by mistake                                       |

  @NET-05 @code
  Scenario: The code lets private subnets out through NAT alone
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                                                        |
      | CKV_RG_22 | In production every private subnet goes out through a NAT gateway of its own zone |
      | CKV_RG_23 | Subnets of services, databases and caches have no route to an internet gateway    |
      | CKV_RG_25 | The network has VPC endpoints for the services that tasks use                     |

  @NET-05 @account
  Scenario: Private subnets of the account go out through NAT alone
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check             | which says                                                  |
      | network.private_routes | private subnet: no way to the internet but a NAT gateway    |
      | network.nat_per_zone   | VPC: a working NAT gateway in each zone of a private subnet |
      | network.endpoints      | VPC: VPC endpoints for the services that are used           |

  @ARCH-01 @code
  Scenario: The code leaves no way around the web firewall
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy    | which says                                                                   |
      | CKV_RG_1  | The rule that carries customers holds the target groups of both slots        |
      | CKV_RG_15 | Services run in private subnets, without public addresses                    |
      | CKV_RG_18 | Only the load balancer is open to the world, on 443 and 80                   |
      | CKV_RG_27 | A web ACL is attached to every public door                                   |
      | CKV_RG_56 | The world reaches a load balancer only where no API gateway stands before it |

  @ARCH-01 @account
  Scenario: The account leaves no way around the web firewall
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                   | which says                                                  |
      | balancer.exposure            | load balancer: faces the side that the topology says        |
      | firewall.attached            | entrance: has a web ACL                                     |
      | balancer.both_groups         | public rule: forwards to both slots, whatever their weights |
      | containers.no_public_address | service: its tasks have no public address                   |

  @ARCH-01 @account
  Scenario: Tasks serve the load balancer and no stranger
    Given the environment under release
    When a stranger connects to every healthy task itself
    Then no task serves the stranger
