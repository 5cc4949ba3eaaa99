# Makes a home as that of somebody is who worked in it for a year, and takes every inode that its quota allows.
import errno
import json
import os
import sqlite3

# What a notebook of 5 KB and one of 2 MB have in their only cell, in lines of 50 bytes.
for name, lines in ("thesis", 100), ("plots", 40_000):
    source = ["# a line of fifty bytes, as long as lines often are\n"] * lines
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
    with open(f"{name}.ipynb", "x") as file:
        json.dump({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}, file)

# IPython's history of all that was typed. It is larger than what may grow when the quota is spent.
os.makedirs(".ipython/profile_default")
db = sqlite3.connect(".ipython/profile_default/history.sqlite")
with db:
    db.executescript("""
        create table sessions (session integer primary key autoincrement, start timestamp, end timestamp,
            num_cmds integer, remark text);
        create table history (session integer, line integer, source text, source_raw text, primary key (session, line));
        create table output_history (session integer, line integer, output text, primary key (session, line));
        insert into sessions values (1, '2001-02-03 04:05:06', '2001-02-03 05:06:07', 2000, '');
    """)
    typed = [(line, "x" * 500, "x" * 500) for line in range(2000)]
    db.executemany("insert into history values (1, ?, ?, ?)", typed)
db.close()

open("results.csv", "x").close()
os.mkdir("runs")
try:
    for i in range(10_000):
        open(f"runs/{i}", "x").close()
except OSError as e:
    assert e.errno == errno.EDQUOT, f"the inode beyond the quota is refused with {e}"
else:
    raise AssertionError("the home takes ten thousand files")
