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
      | policy      | which says                                                                        |
      | CKV_RG_24   | Load balancer, services, databases and caches are spread over at least two zones   |
      | CKV_RG_15   | Services run in private subnets, without public addresses                         |
      | CKV_RG_23   | Subnets of services, databases and caches have no route to an internet gateway    |
      | CKV_AWS_130 | Ensure VPC subnets do not assign public IP by default                             |

  @NET-01 @account
  Scenario: The account's subnets are private and public over zones
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                    | which says                                                       |
      | network.zones                 | VPC: private and public subnets in enough zones                  |
      | containers.in_private_subnets | service: its tasks run in private subnets only                   |
      | containers.no_public_address  | service: its tasks have no public address                        |
