"""What alerting says of itself: expressions, rules and routes as they were loaded, and what is wrong with them.

Prometheus and Alertmanager are asked in `prometheus` and `alertmanager`; everything else here is arithmetic over their
answers. What a plan's lines look at stands in the probes of the same names.
"""
