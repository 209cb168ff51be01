"""The console: the operators' and the branches' screens, in a process, an origin and a database role of their own (G1).

`web.ConsoleWeb` is what every feature's routes are made with, `trail.Trail` writes what operators do, `menu.Entry` is a
line of the menu. Which features there are is put together in `run/console.py`.
"""
