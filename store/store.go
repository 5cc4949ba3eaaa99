// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package store is hubs and homes on a disk: a directory with one directory for each hub, and hubhome's own data in
// .hubhome beside them, which no client can see.
//
// It owns the layout, the lock that keeps a second server out, the key and the name of the store, the hubs' directories,
// the records of which client held state where, and what is kept of the ledger of what homes take. The files themselves are
// localfs's, and the ledger is quota's. It knows no protocol.
//
//	<store>/.hubhome/store.json   format, id and key; mode 0600
//	<store>/.hubhome/lock         who serves the store
//	<store>/.hubhome/new/         what is being made; emptied at each start
//	<store>/.hubhome/clients/     one file for each client that holds state
//	<store>/.hubhome/spare/       space for such files on a full disk
//	<store>/.hubhome/ledger/      what homes take, and which of them are being changed
//	<store>/.hubhome/quotas       the quotas that were set at run time
//	<store>/<hub>/<username>/     homes
//	<store>/<hub>/_shared/        what all read
//	<store>/<hub>/_shared-public/ what all write
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/localfs"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// The names of hubhome's own data.
const (
	ownDir     = ".hubhome"
	storeFile  = "store.json"
	lockFile   = "lock"
	newDir     = "new"
	clientsDir = "clients"
)

// OwnDir is where hubhome's own data is in the store at a path.
func OwnDir(path string) string { return filepath.Join(path, ownDir) }

// Options are what a Store is made of.
type Options struct {
	// Path is the store's directory, which must be there.
	Path   string
	Logger *slog.Logger
	// Disk makes the system calls. Nil: a Disk that makes them all.
	Disk *disk.Disk
	// Rebuild throws away what is kept of the ledger: all homes are counted anew.
	Rebuild bool
	// Existing makes no store of a directory that is none: ErrNoStore.
	Existing bool
}

// ErrNoStore says that a directory is no store.
var ErrNoStore = errors.New("it is no store yet")

// Store is a store that this process serves.
type Store struct {
	log     *slog.Logger
	disk    *disk.Disk
	path    string
	root    int // descriptors of directories
	own     int
	nursery int
	id      []byte
	fs      *localfs.FS
	clients *ClientRecords

	quota     *quota.Ledger
	charged   vfs.FS
	ledger    *ledger
	overrides *overrides
	progress  atomic.Pointer[Progress]
	checking  sync.Mutex // one check of a store that is served at a time
	retries   retries

	mu     sync.Mutex // one SetHubs at a time
	hubs   []Hub
	listed listing
}

// Open takes a store into use: it makes what is missing of hubhome's own data, and takes the lock, which keeps a second
// server from the store until Close or the end of the process. An error says what is wrong with the directory and what
// to do about it. It waits for nothing but the disk.
func Open(_ context.Context, o Options) (_ *Store, err error) {
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, fmt.Errorf("store %q: %w", o.Path, err)
	}
	s := &Store{log: o.Logger, disk: o.Disk, path: path, root: -1, own: -1, nursery: -1}
	if s.disk == nil {
		s.disk = new(disk.Disk)
	}
	defer func() {
		if err != nil {
			s.Close()
			err = fmt.Errorf("store %q: %w", path, err)
		}
	}()
	if s.root, err = unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return nil, explainOpen(err)
	}
	if o.Existing {
		if err := s.disk.Stat(s.root, ownDir, new(disk.Stat)); err == syscall.ENOENT {
			return nil, ErrNoStore
		}
	}
	if s.own, err = s.directory(s.root, ownDir, 0o700); err != nil {
		return nil, explainWrite(err)
	}
	if err := s.takeLock(); err != nil {
		return nil, err
	}
	if s.nursery, err = s.directory(s.own, newDir, 0o700); err != nil {
		return nil, explainWrite(err)
	}
	identity, err := s.identity()
	if err != nil {
		return nil, err
	}
	s.id = []byte(identity.ID)
	if s.clients, err = openClientRecords(s); err != nil {
		return nil, err
	}
	s.fs, err = localfs.New(localfs.Options{Disk: s.disk, Root: s.root, Nursery: s.nursery, Key: identity.Key})
	if err != nil {
		return nil, err
	}
	var root disk.Stat
	if err := s.disk.Stat(s.root, disk.Here, &root); err != nil {
		return nil, fmt.Errorf("look at the store's directory: %w", err)
	}
	s.warnBirthless(&root)
	return s, s.openQuota(o.Rebuild)
}

// warnBirthless says what follows where the file system does not keep when files were made, as XFS in its version 4.
func (s *Store) warnBirthless(root *disk.Stat) {
	if birthOf(root) == 0 {
		s.log.Warn("the file system does not keep when files were made, so that one is not told from another that had its number before: "+
			"what a home takes may be wrong after it was counted while files were made and removed in it, and of a home that was replaced "+
			"while no server ran; hubhome store check --repair with no server running makes it right; a newer file system has no such need",
			"path", s.path)
	}
}

// openQuota reads what is kept of the ledger, and of quotas that were set at run time.
func (s *Store) openQuota(rebuild bool) (err error) {
	// The ledger asks who keeps it only when hubs are known.
	s.quota = quota.New(s.fs, keeper{s})
	s.charged = s.quota.FS()
	if s.ledger, err = openLedger(s, rebuild); err != nil {
		return err
	}
	s.overrides, err = openOverrides(s)
	return err
}

// explainOpen says what to do where a store's directory cannot be opened.
func explainOpen(err error) error {
	switch err {
	case syscall.ENOENT:
		return fmt.Errorf("%w: make the directory, or mount the disk that it is on", err)
	case syscall.ENOTDIR:
		return fmt.Errorf("%w: store.disk.path must be a directory", err)
	case syscall.EACCES:
		return fmt.Errorf("%w: the server's user must be able to read it", err)
	}
	return err
}

// explainWrite says what to do where hubhome's own data cannot be made.
func explainWrite(err error) error {
	switch {
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return fmt.Errorf("%w: the server's user must be able to write to it", err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: the disk is mounted read-only", err)
	}
	return err
}

// directory opens a directory of hubhome's own, and makes it durably where it is not there.
func (s *Store) directory(parent int, name string, mode uint32) (int, error) {
	flags := unix.O_RDONLY | unix.O_DIRECTORY
	fd, err := s.disk.Open(parent, name, flags, 0)
	if err == syscall.ENOENT {
		if err := s.disk.Mkdir(parent, name, mode); err != nil && err != syscall.EEXIST { // another server was first
			return -1, fmt.Errorf("make %s: %w", name, err)
		}
		if err := s.disk.Sync(parent); err != nil {
			return -1, fmt.Errorf("make %s: %w", name, err)
		}
		fd, err = s.disk.Open(parent, name, flags, 0)
	}
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", name, err)
	}
	return fd, nil
}

// FS returns the files. What is changed through it is charged to its home.
func (s *Store) FS() vfs.FS { return s.charged }

// Report tells what all hubs and homes take and may take. It waits for no disk.
func (s *Store) Report() quota.Report { return s.quota.Report() }

// Home tells of one home or shared directory; see quota.Ledger. It waits for no disk.
func (s *Store) Home(hub hubhome.HubName, name string) (home quota.HomeReport, there bool, err error) {
	return s.quota.Home(hub, name)
}

// HubOf names the hub of a home; empty where it is not known.
func (s *Store) HubOf(home vfs.HomeID) hubhome.HubName { return s.quota.HubOf(home) }

// Reserve is what every home may still take when its quota is spent.
func (s *Store) Reserve() hubhome.Reserve { return s.quota.Reserve() }

// ID names the store for as long as it exists.
func (s *Store) ID() []byte { return s.id }

// Path is the store's directory, absolute.
func (s *Store) Path() string { return s.path }

// Clients returns the records of which client held state where.
func (s *Store) Clients() *ClientRecords { return s.clients }

// closeTime is for how long files are looked at, at a clean stop, that have yet to come to rest. Those that are left are
// remembered in the ledger. It is short: whoever stops a server waits some seconds, and then it has not been stopped cleanly.
const closeTime = time.Second

// Close persists the ledger and gives the store back: another server may have it. No call on its FS may be running, nor Run,
// and none may follow. A second Close does nothing. After an error the store is given back all the same.
func (s *Store) Close() (err error) {
	if s.ledger != nil && s.overrides != nil && s.root >= 0 {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		s.quota.Sweep(ctx)
		cancel()
		err = s.ledger.checkpoint(true)
	}
	if s.ledger != nil {
		s.ledger.close()
	}
	open := []*int{&s.nursery, &s.root, &s.own} // the last has the lock
	if s.clients != nil {
		open = append([]*int{&s.clients.dir, &s.clients.spares.dir}, open...)
	}
	for _, fd := range open {
		if *fd >= 0 {
			disk.Close(*fd)
		}
		*fd = -1
	}
	return err
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
