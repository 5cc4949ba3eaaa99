// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

// The hub of the tour, and where clients find it.
const (
	tourHub = "prod"
	hubPath = "/homes/" + tourHub
)

// hubDirectories looks at what the server has made by itself.
func (t *tour) hubDirectories(ctx context.Context) (string, error) {
	share, err := t.mount(ctx, "/homes", nodeRoot)
	if err != nil {
		return "", err
	}
	entries, err := share.list(ctx, share.root)
	if err != nil {
		return "", err
	}
	var seen []string
	for _, e := range entries {
		if err := owned(e.Name, &e.Attr, 1000, 0o755); err != nil {
			return "", err
		}
		seen = append(seen, "/homes/"+e.Name)
	}
	slices.Sort(seen)
	if !slices.Equal(seen, []string{"/homes/prod", "/homes/staging"}) {
		return "", fmt.Errorf("/homes has %q, and not the two hubs", seen)
	}
	_, err = share.fs.Lookup(ctx, nodeRoot, share.root, ".hubhome")
	if err := mustRefuse("a look at hubhome's own directory", err, syscall.ENOENT); err != nil {
		return "", err
	}
	t.hub, err = t.mount(ctx, hubPath, nodeRoot)
	return strings.Join(seen, " and ") + " are there, 1000:1000, mode 0755, and nothing else", err
}

// makeHomes does what a kubelet does for a subPath that is not there yet.
func (t *tour) makeHomes(ctx context.Context) (string, error) {
	for _, name := range []string{"ada", "grace"} {
		mode := uint32(0o750)
		e, _, err := t.hub.fs.Mkdir(ctx, nodeRoot, t.hub.root, name, vfs.SetAttr{Mode: &mode})
		if err != nil {
			return "", err
		}
		if err := owned(name, &e.Attr, 1000, 0o755); err != nil {
			return "", err
		}
		if t.users[name], err = t.mount(ctx, hubPath+"/"+name, jovyan); err != nil {
			return "", err
		}
	}
	return "mkdir of ada and grace as root with mode 0750: born 1000:1000 with mode 0755", nil
}

// shared looks at the directories that the users of a hub have together.
func (t *tour) shared(ctx context.Context) (string, error) {
	e, err := t.hub.fs.Lookup(ctx, nodeRoot, t.hub.root, "_shared")
	if err != nil {
		return "", err
	}
	if err := owned("_shared", &e.Attr, 1000, 0o755); err != nil {
		return "", err
	}
	public, err := t.mount(ctx, hubPath+"/_shared-public", jovyan)
	if err != nil {
		return "", err
	}
	data := []byte("penguins\n")
	if _, err := public.save(ctx, public.root, "data.csv", data); err != nil {
		return "", err
	}
	t.stored["_shared-public/data.csv"] = sumOf(data)
	other, err := t.mount(ctx, hubPath+"/_shared-public", jovyan)
	if err != nil {
		return "", err
	}
	got, err := other.read(ctx, other.root, "data.csv")
	if err == nil && !bytes.Equal(got, data) {
		err = fmt.Errorf("what ada put into _shared-public is to grace %q", got)
	}
	return "_shared is there, 1000:1000, mode 0755; in _shared-public ada writes and grace reads it", err
}

// adminReads reads all of a hub, as an admin does at allusers.
func (t *tour) adminReads(ctx context.Context) (string, error) {
	admin, err := t.mount(ctx, hubPath, jovyan)
	if err != nil {
		return "", err
	}
	entries, err := admin.list(ctx, admin.root)
	if err != nil {
		return "", err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	size, err := t.compare(ctx, admin)
	return fmt.Sprintf("allusers, the hub's directory: %s; all %d files, %d bytes", strings.Join(names, ", "), len(t.stored), size), err
}

// compare reads all that was synced, and checks it byte for byte.
func (t *tour) compare(ctx context.Context, m *mounted) (size int, err error) {
	for path, want := range t.stored {
		dirName, name, _ := strings.Cut(path, "/")
		dir, err := m.fs.Lookup(ctx, m.who, m.root, dirName)
		if err != nil {
			return size, err
		}
		data, err := m.read(ctx, dir.Handle, name)
		if err != nil {
			return size, err
		}
		if sumOf(data) != want {
			return size, fmt.Errorf("%s is not what was written: %d bytes of %d", path, len(data), want.size)
		}
		size += len(data)
	}
	return size, nil
}
