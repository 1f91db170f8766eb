"""Consul: what discovery will find, and what Consul's agents ask themselves.

``definitions`` reads the files that agents read, ``answers`` saved answers of the API, ``catalog`` joins the two (an
answer knows address and health, a definition knows the lines), ``discovery`` gives Prometheus' ``consul_sd`` its targets,
``checks`` the requests that Consul itself sends. All pure: texts in, values out.
"""
