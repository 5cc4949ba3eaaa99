// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/vfs"
)

// stepTime is how long a step may take.
const stepTime = 10 * time.Second

// Who comes by: a kubelet, which is root at its node, and the user of every pod.
var (
	nodeRoot = &vfs.Caller{}
	jovyan   = &vfs.Caller{UID: 1000, GID: 1000}
)

// tour is what the demo shows: what was made, and who has what mounted.
type tour struct {
	server  *demoServer
	clients []*nfsclient.FS

	hub       *mounted            // as the kubelet of a node has it, and an admin's pod at allusers
	users     map[string]*mounted // each user's home, as the user's pod has it
	notebook  vfs.Handle          // ada's
	stored    map[string]sum      // what was synced, by its path below the hub
	scribe    *scribe
	draft     *draft
	downSince time.Time
}

// sum is a file's checksum and size.
type sum struct {
	hash [sha256.Size]byte
	size int
}

func sumOf(data []byte) sum { return sum{sha256.Sum256(data), len(data)} }

func newTour(s *demoServer) *tour {
	return &tour{server: s, users: map[string]*mounted{}, stored: map[string]sum{}}
}

// step is one thing to see.
type step struct {
	title string
	// run answers what was seen.
	run func(*tour, context.Context) (seen string, err error)
}

// steps are in the order in which they build on each other.
var steps = []step{
	{"The server starts", (*tour).start},
	{"Hubs have directories", (*tour).hubDirectories},
	{"A kubelet makes homes", (*tour).makeHomes},
	{"A user saves a notebook", (*tour).saveNotebook},
	{"Whoever writes is jovyan", (*tour).squash},
	{"A mount has no way out", (*tour).noWayOut},
	{"Homes stay apart", (*tour).apart},
	{"Handles cannot be made up", (*tour).forgeHandle},
	{"Shared directories", (*tour).shared},
	{"An admin reads all of it", (*tour).adminReads},
	{"A quota holds at once", (*tour).setQuota},
	{"A full home goes on", (*tour).fullHome},
	{"The server is killed", (*tour).kill},
	{"It starts again", (*tour).startAgain},
	{"Open files carry on", (*tour).carryOn},
	{"Unsynced data is known", (*tour).unsynced},
	{"Old handles work", (*tour).oldHandle},
	{"Usage is right, too", (*tour).usageRight},
	{"Synced data is there", (*tour).allThere},
}

// errInterrupted is the error of a tour that was not taken to its end.
var errInterrupted = errors.New("interrupted")

// stepResult is how a step ended.
type stepResult struct {
	done bool // it was begun, at least
	err  error
	took time.Duration
}

// take runs the steps, up to the first that fails, and prints what they saw.
func (t *tour) take(ctx context.Context, print *transcript) error {
	results := make([]stepResult, len(steps))
	var failed error
	for i, s := range steps {
		seen, o := t.runStep(ctx, s)
		results[i] = o
		if ctx.Err() != nil {
			failed = errInterrupted
			break
		}
		print.step(s.title, seen, o.err)
		if o.err != nil {
			failed = fmt.Errorf("the tour failed: %s", s.title)
			break
		}
		if failed = print.err; failed != nil {
			break
		}
	}
	left := t.leave()
	if failed != errInterrupted {
		print.table(results)
	}
	return cmp.Or(failed, left)
}

func (t *tour) runStep(ctx context.Context, s step) (seen string, o stepResult) {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	start := time.Now()
	seen, err := s.run(t, ctx)
	return seen, stepResult{done: true, err: err, took: time.Since(start)}
}

// leave ends what the tour holds at the server. While that is down there is nothing to give back.
func (t *tour) leave() error {
	if t.scribe != nil {
		t.scribe.stop()
	}
	var errs []error
	for _, fs := range t.clients {
		if err := fs.Close(); t.downSince.IsZero() {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// start starts the server.
func (t *tour) start(ctx context.Context) (string, error) {
	begin := time.Now()
	if err := t.server.start(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("process %d answers at %s after %v", t.server.process.pid, t.server.addr, since(begin)), nil
}

// since is how long ago something was, as people say it.
func since(begin time.Time) time.Duration { return time.Since(begin).Round(time.Millisecond) }
