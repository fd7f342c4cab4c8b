"""Tools: components that a model, a workflow or a person calls by name. `catalogue` lists them and loads one.

A tool is one class (`class Calculator(Component[CalculatorInput, CalculatorOutput])`) in a module of its group's
folder. It is made without arguments; what it needs of its surroundings (a model, sources) comes from the context. It
imports its libraries where it uses them, so that it can be listed and described where they are not installed.
"""
