@load
Feature: The released version carries the expected traffic on the public address
  All customers are on the new version now, and the old one is still warm. This is
  the last time that a version too slow for everybody can be taken back without harm.
  What was measured of another version, or after the old one was gone, is no pass.

  Background:
    Given the load on the public address after the release

  @VAL-04
  Scenario: The expected traffic is reached and held
    When it is judged anew from its histograms
    Then it is a whole and recent report on this very version
    And customers arrived as expected, whether or not answers came
    And at least 95% of the expected rate was reached and held
    And the way back was warm all the while

  @VAL-05
  Scenario: Response times hold on the public address
    When it is judged anew from its histograms
    Then it is a whole and recent report on this very version
    And 95% of the requests of every kind took less than 200 ms
    And 99% of all requests took less than 1000 ms and none 3000 ms

  @VAL-06 @capacity
  Scenario: Processor and memory suffice under the expected traffic
    When it is judged anew from its histograms
    Then it is a whole and recent report on this very version
    And the service used less than 70% of its CPU and 80% of its memory

  @POST-02 @capacity
  Scenario: Performance holds under live traffic and does not wear off
    When it is judged anew from its histograms
    Then it is a whole and recent report on this very version
    And rate, response times and failures held
    And the service used less than 70% of its CPU and 80% of its memory
    And response times did not grow by 50 ms and 30% while it ran
