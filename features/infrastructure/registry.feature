@compute @policy
Feature: Images stay what they were when they were released
  A tag that moves makes yesterday's proof worthless, a lifecycle that expires
  the stable image takes the way back away, and whoever may pull may read what is
  in it.

  @PROC-03 @code
  Scenario: The code keeps images fixed, scanned and ours alone
    Given the infrastructure code
    When its policies are judged
    Then these policies hold for every resource that they concern
      | policy      | which says                                                                            |
      | CKV_AWS_51  | Ensure ECR Image Tags are immutable                                                   |
      | CKV_AWS_136 | Ensure that ECR repositories are encrypted using KMS                                  |
      | CKV_AWS_163 | Ensure ECR image scanning on push is enabled                                          |
      | CKV_RG_34   | Only the tasks' execution role and functions of ours may pull from the image registry |
      | CKV_RG_35   | The registry's lifecycle keeps the live image and the way back                        |

  @PROC-03 @account
  Scenario: The account's images are fixed, scanned and ours alone
    Given the account under release
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check               | which says                                                           |
      | registry.immutable       | repository: never moves a tag                                        |
      | registry.encrypted       | repository: is encrypted with a key of KMS                           |
      | registry.scanned         | repository: scans what is pushed                                     |
      | registry.pulled_by       | repository: lets the declared roles pull and nobody else             |
      | registry.pushed_by       | repository: lets the declared roles push and nobody else             |
      | registry.lifecycle_keeps | repository: its lifecycle keeps the images that run and the way back |
