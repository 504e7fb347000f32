@account @audit
Feature: Who did what is written down, and intrusions stop a release
  A trail that was stopped leaves no trace of what came after. A release on top of
  an open finding of high severity may release for somebody else. A region without
  a trail or a detector is no pass.

  Background:
    Given the account under release

  @ARCH-07
  Scenario: The trail records everything, everywhere, and can be verified
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check              | which says                                             |
      | trail.recording         | trail: is recording                                    |
      | trail.everywhere        | trail: records every region and the global services    |
      | trail.management_events | trail: records what is read and what is changed        |
      | trail.validated         | trail: its files can be verified                       |
      | trail.encrypted         | trail: is encrypted with a key of ours                 |
      | trail.delivers          | trail: delivered its files within a day, without error |

  @ARCH-09
  Scenario: The detector is on and has no open finding of high severity
    When its resources are looked at
    Then these live checks hold for every resource that they concern
      | live check                | which says                                     |
      | detector.enabled          | detector: is enabled                           |
      | detector.no_high_findings | detector: has no open finding of high severity |
