"""STIX patterns over observed data: the whole language of STIX 2.1 section 9, evaluated on columns.

``verdict.Judge`` answers any pattern, and those that are plain look-ups by the hundred thousand. Where the text leaves
a choice or the reference matcher departs from it, this room does as follows:

- An observed-data stands for ``number_observed`` observations (9.1), so it alone can satisfy REPEATS or AND. When
  they occurred between its first and last moment isn't defined (9.1): a pattern matches if some moments fit, but the
  same moments for all its qualifiers and operators.
- REPEATS asks for at least so many (9.5.1). WITHIN is strict; START <= t < STOP; equal times follow each other.
- What stands in brackets starts from one object (9.5); AND over different types is no match, with the reason.
- A path that leads nowhere is false whatever the operator (9.6), so also under NOT, and NOT EXISTS. So is a binary
  property that can't be decoded, except that it exists.
- Letters, digits, white space and bounds of words in MATCHES are Unicode's in texts, ASCII's in octets (9.6.1).
- Types that can't be compared are unequal and otherwise false; NOT turns the whole comparison around (9.6.1), so
  ``list[*] NOT = 'a'`` says that no item is a, ``list[*] != 'a'`` that some item isn't.
- Constants that mean nothing are invalid and match nothing (9.4): no address after ISSUBSET, no expression after
  MATCHES, IN over several types, WITHIN or REPEATS of 0. What is in order and empty only doesn't match: STOP not after
  START, a list position below 0 (out of range, 9.7.2).
- An observed-data that its creator revoked isn't seen.
"""
