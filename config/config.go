// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package config reads hubhome.yaml: the one file that says what hubhome serves and to whom.
//
// It owns the keys of that file, their defaults and their checks, and the noticing of changes to it. It reads strictly:
// what it does not know is an error with its place. It never looks at what a path or an address stands for.
//
// One file of the package for each noun: document, reader, problem, hint, key (and what it reads: store, remote, nfs, log, admin,
// metrics, warnings, hub), watch.
package config

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/hubhome/hubhome"
)

// Config is what a file says, checked and with its defaults filled in.
type Config struct {
	Store Store
	NFS   NFS
	Quota Quota
	Log   Log

	Admin    Admin
	Metrics  Metrics
	Warnings Warnings
	// Hubs are in the order of the file. No two have one name.
	Hubs []Hub

	file string
	at   map[string]position
}

// Store says where homes live: on a disk, or on an NFS server of somebody else's.
type Store struct {
	Disk   Disk
	Remote Remote
}

// Disk is a directory that hubhome itself serves.
type Disk struct {
	// Path is the directory. What is relative in the file is below the file's own directory here.
	Path string
}

// NFS says how clients find the store, and who they are.
type NFS struct {
	// Listen is the address and the port, as net.Listen takes them.
	Listen string
	// BaseShare is the path below which the hubs are: "/", or a path that does not end in '/'.
	BaseShare string
	// Allow is the networks whose clients may connect. No two overlap.
	Allow  []netip.Prefix
	Squash Squash
	// Owner is who squashed callers are, and to whom the hubs belong that have no owner of their own.
	Owner hubhome.Owner
}

// Squash says whom the server takes a client's user for (exports(5), "User ID Mapping").
type Squash string

// The ways to squash.
const (
	// SquashAll takes everybody for the owner.
	SquashAll Squash = "all"
	// SquashRoot takes root for the owner.
	SquashRoot Squash = "root"
	// SquashNone takes everybody for who they say they are.
	SquashNone Squash = "none"
)

// Quota says what holds for the quotas of all hubs.
type Quota struct {
	// ReserveEnabled tells whether there is a reserve; Reserve is what it is then.
	ReserveEnabled bool
	Reserve        hubhome.Reserve
}

// Log says what is logged.
type Log struct{ Level slog.Level }

// Admin says where the server's own administrators reach it.
type Admin struct {
	// Socket is the path of a unix socket.
	Socket string
}

// Metrics says what is told to Prometheus.
type Metrics struct {
	// Listen is the address and the port; empty: nowhere.
	Listen string
	// Homes is how many homes have figures of their own.
	Homes int
}

// Warnings says when somebody is told that a home is filling up, and who.
type Warnings struct {
	// At are the parts of a quota, in percent, in ascending order. None: nobody is told.
	At []int
	// File is the file that warnings are appended to; Stdout stands for the standard output, and empty for none.
	File string
	// Webhook is the URL that warnings are posted to, WebhookFile a file that has it. At most one is not empty.
	Webhook, WebhookFile string
}

// Stdout is what Warnings.File has for the standard output.
const Stdout = "stdout"

// Hub is one JupyterHub.
type Hub struct {
	Name hubhome.HubName
	// Owner is to whom the hub's directory belongs, and the homes in it.
	Owner hubhome.Owner
	// Mode is that of the hub's directory: permission, set-id and sticky bits.
	Mode uint32
	// Shared and SharedPublic ask for the directories _shared and _shared-public.
	Shared, SharedPublic bool
	Quotas               hubhome.Quotas
}

// maxFile is the longest file that is read, in bytes: room for some ten thousand hubs.
const maxFile = 1 << 20

// Load reads and checks a file. The error is Problems where the file could be read: all of them.
func Load(path string) (*Config, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// Parse checks a file that was read. Relative paths are below the directory of the file named, which is not touched.
func Parse(file string, data []byte) (*Config, error) {
	r := &reader{config: &Config{file: file, at: map[string]position{}}, meant: map[string]bool{}}
	if root := r.document(data); root != nil {
		r.read(root)
	}
	if len(r.problems) > 0 {
		return nil, r.problems.sorted()
	}
	return r.config, nil
}

// Place says where the file has a key, as file:line:column; where it does not have it, the file alone. Keys are written
// with dots, such as nfs.listen.
func (c *Config) Place(key string) string {
	at, ok := c.at[key]
	if !ok {
		return c.file
	}
	return fmt.Sprintf("%s:%d:%d", c.file, at.line, at.column)
}

// Problem is what is wrong with a key of a file that is valid in itself.
func (c *Config) Problem(key, format string, args ...any) Problem {
	at, ok := c.at[key]
	if !ok {
		at = position{1, 1}
	}
	return Problem{File: c.file, Line: at.line, Column: at.column, Key: key, What: fmt.Sprintf(format, args...)}
}

// Same tells whether two files say the same, however they write it.
func (c *Config) Same(o *Config) bool {
	return c.Store == o.Store && c.Log == o.Log && c.Quota == o.Quota && reflect.DeepEqual(c.Hubs, o.Hubs) &&
		c.Admin == o.Admin && c.Metrics == o.Metrics && reflect.DeepEqual(c.Warnings, o.Warnings) &&
		c.NFS.Listen == o.NFS.Listen && c.NFS.BaseShare == o.NFS.BaseShare && slices.Equal(c.NFS.Allow, o.NFS.Allow) &&
		c.NFS.Squash == o.NFS.Squash && c.NFS.Owner == o.NFS.Owner
}

// dir is the file's directory.
func (c *Config) dir() string { return filepath.Dir(c.file) }

// read returns what is in a file, as far as it is not too long.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return data, nil
}
