// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// nfs is a client of the server at $ADDR. With `!` the thing must not work.
//
//	nfs ls EXPORT           prints names, modes and owners in a directory, in order
//	nfs mkdir EXPORT NAME   makes a directory, as root: what a kubelet does for a subPath
//	nfs reach               is answered
//	nfs hold                connects and stays
//	nfs dropped             waits until the server has ended that connection
func nfs(ts *testscript.TestScript, neg bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := fmt.Errorf("usage: nfs ls|mkdir|reach|hold|dropped …")
	switch {
	case len(args) == 2 && args[0] == "ls":
		err = nfsList(ctx, ts, args[1])
	case len(args) == 3 && args[0] == "mkdir":
		err = nfsMkdir(ctx, ts, args[1], args[2])
	case len(args) == 1 && args[0] == "reach":
		err = nfsReach(ctx, ts)
	case len(args) == 1 && args[0] == "hold" && !neg:
		err = nfsHold(ctx, ts)
	case len(args) == 1 && args[0] == "dropped" && !neg:
		err = nfsDropped(ctx, ts)
	default:
		ts.Fatalf("%v", err)
	}
	switch {
	case neg && err == nil:
		ts.Fatalf("it worked")
	case neg:
		fmt.Fprintln(ts.Stderr(), err)
	default:
		ts.Check(err)
	}
}

// mount calls fn with a directory of the server.
func mount(ctx context.Context, ts *testscript.TestScript, export string, fn func(fs *nfsclient.FS, root vfs.Handle) error) error {
	fs, err := nfsclient.Dial(ctx, nfsclient.Config{Addr: ts.Getenv("ADDR"), Export: export, Timeout: patience})
	if err != nil {
		return err
	}
	defer fs.Close()
	root, err := fs.Root(ctx)
	if err != nil {
		return err
	}
	return fn(fs, root)
}

func nfsList(ctx context.Context, ts *testscript.TestScript, export string) error {
	return mount(ctx, ts, export, func(fs *nfsclient.FS, root vfs.Handle) error {
		var lines []string
		_, err := fs.ReadDir(ctx, nil, root, 0, true, func(e *vfs.DirEntry) bool {
			lines = append(lines, fmt.Sprintf("%s %04o %d:%d", e.Name, e.Attr.Mode, e.Attr.UID, e.Attr.GID))
			return true
		})
		slices.Sort(lines)
		for _, line := range lines {
			fmt.Fprintln(ts.Stdout(), line)
		}
		return err
	})
}

func nfsMkdir(ctx context.Context, ts *testscript.TestScript, export, name string) error {
	return mount(ctx, ts, export, func(fs *nfsclient.FS, root vfs.Handle) error {
		_, _, err := fs.Mkdir(ctx, &vfs.Caller{}, root, name, vfs.SetAttr{})
		return err
	})
}

func nfsReach(ctx context.Context, ts *testscript.TestScript) error {
	client, err := oncrpc.Dial(ctx, ts.Getenv("ADDR"))
	if err != nil {
		return err
	}
	defer client.Close()
	return ping(ctx, client)
}

// ping makes the call that does nothing.
func ping(ctx context.Context, client *oncrpc.Client) error {
	reply, err := client.Call(ctx, nfs4.Program, nfs4.Version, nfs4.ProcNull, &oncrpc.Cred{}, func(*oncrpc.Encoder) {}, nil)
	if err != nil {
		return err
	}
	reply.Release()
	return nil
}

// held are the connections of `nfs hold`, by the scripts' directories.
var held sync.Map

func nfsHold(ctx context.Context, ts *testscript.TestScript) error {
	client, err := oncrpc.Dial(ctx, ts.Getenv("ADDR"))
	if err != nil {
		return err
	}
	ts.Defer(func() { client.Close() })
	held.Store(ts.Getenv("WORK"), client)
	return ping(ctx, client)
}

func nfsDropped(ctx context.Context, ts *testscript.TestScript) error {
	client, ok := held.Load(ts.Getenv("WORK"))
	if !ok {
		return fmt.Errorf("no connection is held")
	}
	select {
	case <-client.(*oncrpc.Client).Done():
		return nil
	case <-time.After(patience):
		return fmt.Errorf("the connection is still there")
	}
}
