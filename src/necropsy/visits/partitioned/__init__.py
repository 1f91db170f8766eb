"""The same analysis on many machines: each has the lines of some flows, and takes the steps on them by itself.

A flow is a client with a user agent. Redirects, visits, classes and rhythms lie within one flow, so a partition by flows
needs no other. What is of the whole log (pages, typical redirects, the largest classes) is summed up here:

====================  =================================================  ==============================================
stage                 each partition                                     here, of all partitions
====================  =================================================  ==============================================
(reading)             counts pages, collects their texts                 folds paths: ``page``
``guess``             guesses which line followed a redirect             which pages follow which: ``typical_pair``
``guess_again``       the second round, over what the first left         the same of the second round
``make_classes``      visits, classes, clients with cookies              how many are frequent; the largest
``judge``             rhythms; sums the classes that are not kept        ``folded``, ``summed``: the classes of the case
``count_visits``      visits by class and minute, or one by one          adds them up
``find_texts``        texts of the clients that are shown                ``class_texts``
====================  =================================================  ==============================================

A stage is a pure function of the partition's tables and of what was summed up before, so that a partition that is lost with
its machine is made again from the files. The steps are those of DuckDB's own engine: nothing else is needed there.
"""
