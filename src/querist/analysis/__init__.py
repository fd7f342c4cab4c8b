"""Analysis: statistics over tables, chosen by a model and computed by well-kept libraries; code only in the sandbox."""
