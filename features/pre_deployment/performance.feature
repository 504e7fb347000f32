@load @reports
Feature: The version under release carries the expected traffic before customers meet it
  A version that is fast for one may be slow for all. It is given the traffic that
  is expected, on its own address, by customers who do not wait for each other. The
  report is judged anew: one that is old, edited, cut short or about another version
  is no pass, whatever it says of itself.

  Background:
    Given the load report of the version under release

  @PRE-08
  Scenario: The expected traffic was carried in time
    When it is judged anew from its histograms
    Then it is a whole and recent report on this very version
    And customers arrived as expected, whether or not answers came
    And at least 95% of the expected rate was reached and held
    And 95% of the requests of every kind took less than 200 ms
    And 99% of all requests took less than 1000 ms and none 3000 ms
    And fewer than 0.1% of the requests failed

  @PRE-14
  Scenario: The load run was whole to its end
    When it is judged anew from its histograms
    Then it is a whole and recent report on this very version
    And it was measured for at least 15 seconds after the warm-up
    And every worker was there to the end
    And rate, response times and failures held
