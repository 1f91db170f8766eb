"""Labelled incidents: a causal simulation of clients, applications, stores and logs, with the truth beside the evidence.

Read in this order: ``scene`` (what an incident is made of), ``arrivals`` (when clients come), ``application`` (what an
answer leaves in the store and in the log), ``machines`` and ``people`` (who comes), ``kinds`` (the incidents), ``logs``,
``configuration`` and ``stores`` (the evidence as bytes), ``truth`` (what is so, and what can be known of it),
``examine``, ``judge`` and ``table`` (how well a build of necropsy does).
"""
