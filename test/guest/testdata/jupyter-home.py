# Makes a home as that of somebody is who worked in it for a year, and takes every inode that its quota allows.
import base64
import errno
import json
import os
import sqlite3

# A notebook of 5 KB, and one of 8 MiB, with pictures in the output of its only cell.
source = ["# a line of fifty bytes, as long as lines often are\n"] * 100
for name, pictures in ("thesis", 0), ("plots", 4):
    picture = base64.b64encode(os.urandom((2 << 20) * 3 // 4)).decode()
    output = {"output_type": "display_data", "metadata": {}, "data": {"image/png": picture}}
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [output] * pictures, "source": source}
    with open(f"{name}.ipynb", "x") as file:
        json.dump({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}, file)

# IPython's history of all that was typed.
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
