// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package console is how an operator looks into a server that runs, and changes what can be changed at run time.
//
// It owns the JSON API, which is served on a unix socket for the machine's own administrators, and the client that the commands
// use. It never reads a disk but through the FS that it is handed, knows no protocol of files, and decides nothing: what homes
// take and may take is the ledger's to say.
//
// One file of the package for each noun: wire (what is said in JSON), server, quotas (the change of them), check, largest (the walk
// through one home), lines (an answer that comes while it is found), socket, client.
package console

import (
	"context"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// Homes is what the console tells of. Its methods may be called concurrently.
type Homes interface {
	// Report tells of all hubs and homes, and Home of one: quota.ErrNoHub where the hub is not served. Of a home that is not
	// there it tells the quota. Both wait for no disk.
	Report() quota.Report
	Home(hub hubhome.HubName, name string) (home quota.HomeReport, there bool, err error)
}

// Ledger is Homes that the server serves itself, and of which it decides what they may take.
type Ledger interface {
	Homes
	// Reserve is what every home may still write when its quota is spent.
	Reserve() hubhome.Reserve
	// SetQuotas sets the quotas of homes at run time, all or none, durably. What is zero in one is left to the configuration.
	SetQuotas([]Override) error
	// Overrides returns what was set so, by hub and home, also of homes that are not there and of hubs that are not served.
	Overrides() []Override
	// Check counts all homes, while they are used, and tells of each what the ledger and what the disk says. repair makes the
	// ledger right. One at a time: EBUSY. An error of tell is returned.
	Check(ctx context.Context, repair bool, tell func(Checked) error) error
	// FS returns the files.
	FS() vfs.FS
}

// Checked is what was found of a home, or with an empty name of what lies in a hub's directory and in no home.
type Checked struct {
	Hub  hubhome.HubName
	Home string // bytes of any kind
	// Ledger is what the ledger says, Disk what there is.
	Ledger, Disk quota.Usage
	// Believed: the ledger says so for certain. Otherwise the home is to be counted anyway; where the ledger was to be made right,
	// it was.
	Believed bool
	// Fault is why the home could not be counted; empty: it could.
	Fault string
}

// Override is the quota of one home that was set at run time.
type Override struct {
	Hub   hubhome.HubName
	Home  string // the name of the directory: bytes of any kind
	Quota hubhome.Quota
}

// find returns the directory of a home.
func find(ctx context.Context, fs vfs.FS, hub hubhome.HubName, home string) (vfs.Handle, error) {
	h, err := fs.Root(ctx)
	if err != nil {
		return "", err
	}
	for _, name := range []string{string(hub), home} {
		e, err := fs.Lookup(ctx, nil, h, name)
		if err != nil {
			return "", err
		}
		h = e.Handle
	}
	return h, nil
}
