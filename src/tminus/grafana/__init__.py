"""Grafana: its HTTP API, what a dashboard's panels show, and the dashboards that tminus makes.

One file asks Grafana (`api`), one runs the panels of a dashboard (`showing`), one narrows a query to one side of a
launch (`restricting`), and `describing` with `boards` makes dashboards of a short description.
"""
