# A directory of many entries: made, listed, and listed while half of it is removed.
import os
import sys

count, directory = int(sys.argv[1]), sys.argv[2]
os.mkdir(directory)
os.chdir(directory)
# One file has many names: a link is one request, a new file is several.
wanted = set()
for i in range(count):
    name = f"entry-{i:05}"
    if i % 100 == 0:
        target = name
        open(name, "x").close()
    else:
        os.link(target, name)
    wanted.add(name)


def listed():
    with os.scandir(".") as entries:
        names = [entry.name for entry in entries]
    assert len(names) == len(set(names)), f"{len(names) - len(set(names))} names are listed twice"
    return set(names)


fd = os.open(".", os.O_RDONLY)
assert listed() == wanted, f"{len(listed())} entries are listed of {count}"

# What is not removed while somebody lists the directory must be in the list, once.
seen = []
removed = set()
with os.scandir(".") as entries:
    for entry in entries:
        seen.append(entry.name)
        if len(seen) % 2 == 0 and len(removed) < count // 2:
            victim = f"entry-{len(removed) * 2 + 1:05}"
            os.unlink(victim)
            removed.add(victim)
assert len(seen) == len(set(seen)), "a name is listed twice while others are removed"
missing = wanted - removed - set(seen)
assert not missing, f"{len(missing)} entries that nobody removed are not listed, such as {min(missing)}"
assert listed() == wanted - removed, "the list after the removal is another than what is left"
