Feature: A stage grows only while its gates hold
  A gate asks at the end of a bake whether more customers may follow. It fails
  on proof of harm, passes only on complete and sufficient data, and says what
  is missing when it cannot know. Limits are strict: a value at its limit fails.

  @GATE-01
  Scenario Outline: The error limit of 0.1% decides the last stage
    Given a candidate that serves 50% of customers
    When <requests> requests bring <errors> errors by the end of the bake
    Then the error gate says <verdict>

    Examples: below, at and above the limit, and too few to know
      | requests | errors | verdict    |
      | 10000    | 4      | PASS       |
      | 10000    | 5      | LOW_SAMPLE |
      | 10000    | 10     | FAIL       |
      | 10000    | 50     | FAIL       |
      | 900      | 0      | LOW_SAMPLE |
      | 0        | 0      | LOW_SAMPLE |

  @GATE-01
  Scenario Outline: The early stages grow unless harm is shown
    Given a candidate that serves 5% of customers
    When <requests> requests bring <errors> errors by the end of the bake
    Then the error gate says <verdict>

    Examples: enough to look, too few to look, and harm
      | requests | errors | verdict    |
      | 750      | 0      | PASS       |
      | 750      | 1      | PASS       |
      | 199      | 0      | LOW_SAMPLE |
      | 750      | 38     | FAIL       |

  @GATE-02
  Scenario Outline: The response time limit of 200 ms decides
    Given a candidate that serves 5% of customers
    When <samples> samples have a 95th percentile of <p95> ms
    Then the response time gate says <verdict>

    Examples: below, at and above the limit, and too few to know
      | samples | p95   | verdict    |
      | 750     | 199.9 | PASS       |
      | 750     | 200.0 | FAIL       |
      | 750     | 260.0 | FAIL       |
      | 199     | 150.0 | LOW_SAMPLE |

  @GATE-03
  Scenario Outline: CPU and its projection stay under 70%
    Given a candidate that serves <share>% of customers
    When it uses <cpu>% CPU in every minute of the bake
    Then the CPU gate says <verdict>

    Examples: below, at and above the limit, now and at the next share
      | share | cpu | verdict |
      | 50    | 34  | PASS    |
      | 50    | 35  | FAIL    |
      | 50    | 70  | FAIL    |
      | 25    | 35  | FAIL    |
      | 5     | 10  | PASS    |
      | 5     | 14  | FAIL    |

  @GATE-04
  Scenario Outline: Memory and its trend stay under 80%
    Given a candidate that serves 5% of customers
    When it uses memory of <first>% rising by <growth>% a minute
    Then the memory gate says <verdict>

    Examples: below, at and above the limit, and a leak
      | first | growth | verdict |
      | 79.9  | 0      | PASS    |
      | 80.0  | 0      | FAIL    |
      | 40.0  | 0.2    | PASS    |
      | 40.0  | 1.0    | FAIL    |

  @GATE-01
  Scenario: The candidate's error rate passed at every stage
    Given the rehearsed release
    When it has ended
    Then the gate "GATE-01" passed at every stage with its bounds shown

  @GATE-02
  Scenario: The candidate's response time passed at every stage
    Given the rehearsed release
    When it has ended
    Then the gate "GATE-02" passed at every stage with at least 200 samples

  @GATE-03
  Scenario: The candidate's CPU passed at every stage
    Given the rehearsed release
    When it has ended
    Then the gate "GATE-03" passed at every stage with its projection shown

  @GATE-04
  Scenario: The candidate's memory passed at every stage
    Given the rehearsed release
    When it has ended
    Then the gate "GATE-04" passed at every stage with its trend shown
