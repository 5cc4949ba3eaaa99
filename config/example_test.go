// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/hubhome/hubhome"
)

const (
	example       = "../examples/hubhome.yaml"
	remoteExample = "../examples/hubhome-nfs.yaml"
)

// onlyDisk and onlyRemote tell of a key whether it is of one kind of store alone.
func onlyDisk(key string) bool {
	return slices.Contains([]string{"nfs", "quota", "warnings"}, strings.Split(key, ".")[0]) || strings.HasPrefix(key, "store.disk")
}

func onlyRemote(key string) bool { return strings.HasPrefix(key, remoteKey) }

// TestExample holds the file that documents the keys to all of them.
func TestExample(t *testing.T) {
	c, err := Load(example)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join("..", "examples", "data"); c.Store.Disk.Path != want {
		t.Errorf("the store is in %s, want %s", c.Store.Disk.Path, want)
	}
	want := []Hub{
		{Name: "staging", Owner: hubhome.DefaultOwner, Mode: 0o755, Shared: true},
		{Name: "prod", Owner: hubhome.DefaultOwner, Mode: 0o755, Shared: true, SharedPublic: true, Quotas: hubhome.Quotas{
			Total:        hubhome.Quota{Bytes: 2 * hubhome.TiB},
			Home:         hubhome.Quota{Bytes: 20 * hubhome.GiB, Inodes: 1000000},
			Shared:       hubhome.Quota{Bytes: 100 * hubhome.GiB},
			SharedPublic: hubhome.Quota{Bytes: 50 * hubhome.GiB},
			Homes:        map[string]hubhome.Quota{"ada": {Bytes: 50 * hubhome.GiB}, "bob": {Inodes: hubhome.UnlimitedInodes}},
		}},
	}
	if want := (Quota{ReserveEnabled: true, Reserve: hubhome.DefaultReserve}); c.Quota != want {
		t.Errorf("the quota is %+v, want %+v", c.Quota, want)
	}
	if !reflect.DeepEqual(c.Hubs, want) {
		t.Errorf("the hubs are %+v, want %+v", c.Hubs, want)
	}
	r := &reader{config: c}
	for _, key := range append(whole("", r.keys()), whole("hubs.prod", r.hubKeys(new(Hub)))...) {
		if _, there := c.at[key]; !there && !onlyRemote(key) {
			t.Errorf("%s does not show the key %s", example, key)
		}
	}
}

// TestRemoteExample holds the other file to all keys of a server that somebody else runs.
func TestRemoteExample(t *testing.T) {
	c, err := Load(remoteExample)
	if err != nil {
		t.Fatal(err)
	}
	want := defaultRemote
	want.Server, want.StateDir = "10.0.0.5", filepath.Join("..", "examples", "state")
	if c.Store.Remote != want {
		t.Errorf("the store is %+v, want %+v", c.Store.Remote, want)
	}
	for _, key := range whole("", (&reader{config: c}).keys()) {
		if _, there := c.at[key]; there == onlyDisk(key) {
			t.Errorf("%s shows the key %s: %v", remoteExample, key, there)
		}
	}
}

// whole returns all keys with dots, those with keys below them too.
func whole(above string, keys []key) []string {
	var all []string
	for _, k := range keys {
		all = append(all, join(above, k.name))
		all = append(all, whole(join(above, k.name), k.keys)...)
	}
	return all
}

// TestExampleExplains wants a comment directly before every key that has a value.
func TestExampleExplains(t *testing.T) {
	r := &reader{config: &Config{}}
	hub := r.hubKeys(new(Hub))
	disk := r.keys()
	disk[0] = key{name: "store", keys: disk[0].keys[:1]}
	explains(t, example, slices.Concat(values(disk), values(hub)))
	remote := slices.DeleteFunc(r.keys(), func(k key) bool { return onlyDisk(k.name) })
	remote[0] = key{name: "store", keys: remote[0].keys[1:]}
	explains(t, remoteExample, values(remote))
}

func explains(t *testing.T, example string, keys []string) {
	t.Helper()
	data, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseBytes(data, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var explained []string
	ast.Walk(visitor(func(n ast.Node) {
		if entry, ok := n.(*ast.MappingValueNode); ok && entry.GetComment() != nil {
			explained = append(explained, entry.Key.String())
		}
	}), file.Docs[0])
	for _, key := range keys {
		if !slices.Contains(explained, key) {
			t.Errorf("%s says nothing about %s", example, key)
		}
	}
}

type visitor func(ast.Node)

func (v visitor) Visit(n ast.Node) ast.Visitor { v(n); return v }

// values returns the names of the keys that have values.
func values(keys []key) []string {
	var names []string
	for _, k := range keys {
		if k.read != nil {
			names = append(names, k.name)
		}
		names = append(names, values(k.keys)...)
	}
	return names
}
