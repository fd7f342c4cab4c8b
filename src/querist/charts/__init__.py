"""Charts as data: a Vega-Lite spec chosen by rules, checked, and drawn offline. No code is run to draw one."""
