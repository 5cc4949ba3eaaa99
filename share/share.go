// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package share makes a hub's directory on an NFS server that somebody else runs, and the directories that its users
// share: what has to be there before the hub's volume can be mounted.
//
// It owns what such a directory has to be (Spec), the order in which it is made, so that a run that ended in the middle
// is completed by the next one, and the proof that its owner can write in it. It never touches what is inside.
package share

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/vfs"
)

// The directories that the users of a hub share.
const (
	sharedDir       = "_shared"
	sharedPublicDir = "_shared-public"
)

const (
	baseMode         = 0o755
	sharedMode       = 0o755
	sharedPublicMode = 0o777
)

// Spec is what has to be there.
type Spec struct {
	// At is the path on the server of the FS's root, for messages. Base are the names on the way from there to the base
	// share; none where the root is the base share.
	At   string
	Base []string
	Hub  hubhome.HubName
	// Owner is to whom the hub's directory belongs; Mode is its mode, 0 to 07777.
	Owner hubhome.Owner
	Mode  uint32
	// Shared and SharedPublic ask for _shared and _shared-public.
	Shared, SharedPublic bool
	// Chown gives a hub's directory that is not empty and belongs to somebody else to the owner.
	Chown bool
}

// What was done about a directory.
const (
	Made      = "made"
	Changed   = "changed"   // it was there, with another owner or mode
	Unchanged = "unchanged" // it was there, as it should be
	Left      = "left"      // it was there, not as it would be made, and belongs to its admins
)

// Directory is a directory of the report.
type Directory struct {
	Path   string `json:"path"`
	Action string `json:"action"`
	Owner  string `json:"owner"`
	Mode   string `json:"mode"`
	// Was is owner and mode of a directory that was changed, before that.
	Was string `json:"was,omitempty"`
}

// Report is what was done, in order. After an error, it is what was done before that.
type Report struct {
	Directories []Directory `json:"directories"`
	// Probed tells that the owner has written, read and removed a file in the hub's directory.
	Probed bool `json:"probed"`
	// RootSquashed tells that the server takes root for nobody, so that a kubelet cannot make homes in the hub's directory.
	RootSquashed bool `json:"rootSquashed"`
}

// Create makes what the spec asks for, or sees that it is there, and proves that the owner can write in the hub's
// directory. It may run at the same time as others, also for the same hub. An error is an *Error, or unwraps to that of
// ctx.
//
// It does as the owner what the owner may do and as root what takes root, so that it needs root of a server only where
// the base share is not the owner's to write in.
func Create(ctx context.Context, fs vfs.FS, spec Spec) (Report, error) {
	c := creator{
		fs:    fs,
		spec:  spec,
		root:  &vfs.Caller{},
		owner: &vfs.Caller{UID: spec.Owner.UID, GID: spec.Owner.GID},
		// Never nil: as JSON it is a list, whatever happens.
		report: Report{Directories: []Directory{}},
	}
	err := c.run(ctx)
	return c.report, err
}

// creator is a Create while it runs.
type creator struct {
	fs          vfs.FS
	spec        Spec
	root, owner *vfs.Caller
	report      Report
}

func (c *creator) run(ctx context.Context) error {
	base, path, err := c.base(ctx)
	if err != nil {
		return err
	}
	hub, err := c.hub(ctx, base, join(path, string(c.spec.Hub)))
	if err != nil {
		return err
	}
	path = join(path, string(c.spec.Hub))
	if err := c.probe(ctx, hub, path); err != nil {
		return err
	}
	c.report.Probed = true
	if c.spec.Shared {
		if err := c.shared(ctx, hub, path, sharedDir, sharedMode); err != nil {
			return err
		}
	}
	if c.spec.SharedPublic {
		return c.shared(ctx, hub, path, sharedPublicDir, sharedPublicMode)
	}
	return nil
}

// base finds the base share, and makes what is missing of it.
func (c *creator) base(ctx context.Context) (vfs.Handle, string, error) {
	path := "/" + strings.Trim(c.spec.At, "/")
	dir, err := c.fs.Root(ctx)
	if err != nil {
		return "", path, fail(ctx, "find", path, err)
	}
	for _, name := range c.spec.Base {
		above := path
		path = join(path, name)
		d := directory{dir: dir, name: name, path: path, owner: hubhome.Owner{}, mode: baseMode, by: []*vfs.Caller{c.root, c.owner}}
		e, err := c.find(ctx, &d)
		if errors.Is(err, syscall.ENOENT) {
			if e, err = c.makeBase(ctx, &d, above); err != nil {
				return "", path, err
			}
		} else if err != nil {
			return "", path, err
		}
		dir = e.Handle
	}
	return dir, path, nil
}

// makeBase makes a directory on the way to the base share. Whoever of root and the owner can make it keeps it: all that
// counts is that the hub's directory can be made in it.
func (c *creator) makeBase(ctx context.Context, d *directory, above string) (vfs.Entry, error) {
	for _, caller := range d.by {
		e, _, err := c.fs.Mkdir(ctx, caller, d.dir, d.name, vfs.SetAttr{Mode: &d.mode})
		switch {
		case err == nil:
			c.note(d.path, Made, &e.Attr, "")
			return e, nil
		case errors.Is(err, syscall.EEXIST):
			return c.find(ctx, d)
		case errors.Is(err, syscall.EROFS):
			return e, c.missing(ctx, d, above, err)
		case !denied(err) || caller == c.owner:
			return e, fail(ctx, "make base share", d.path, err)
		}
	}
	return vfs.Entry{}, syscall.EACCES // not reached: by has the owner
}

// missing is the error of a base share that is not there, and in whose place nothing can be made: what is above it is no
// file system, but the server's list of what it exports.
func (c *creator) missing(ctx context.Context, d *directory, above string, err error) error {
	e := fail(ctx, "make base share", d.path, err).seen("the server does not export it")
	if e.Trouble == ReadOnly {
		e.Trouble = Missing
	}
	if names := c.names(ctx, d.dir); len(names) > 0 {
		e.Seen += fmt.Sprintf("; in %s there is: %s", above, strings.Join(names, ", "))
	}
	return e
}

// hub makes the hub's directory, or sees that it is as it should be.
func (c *creator) hub(ctx context.Context, base vfs.Handle, path string) (vfs.Handle, error) {
	d := c.directory(base, string(c.spec.Hub), path, c.spec.Mode)
	e, made, err := c.ensure(ctx, d)
	if err != nil || made {
		return e.Handle, err
	}
	switch right, empty := d.owned(&e.Attr), false; {
	case right && d.moded(&e.Attr):
		c.note(path, Unchanged, &e.Attr, "")
		return e.Handle, nil
	case !right && !c.spec.Chown:
		if empty, err = c.empty(ctx, e.Handle); err != nil || !empty {
			return "", c.othersDirectory(ctx, d, &e.Attr, err)
		}
	}
	return e.Handle, c.change(ctx, d, e)
}

// othersDirectory is the error of a directory that is somebody's, who did not ask for us.
func (c *creator) othersDirectory(ctx context.Context, d *directory, a *vfs.Attr, err error) error {
	if ctx.Err() != nil {
		return fail(ctx, "list", d.path, err)
	}
	e := fail(ctx, "use", d.path, syscall.EEXIST).seen("it is not empty and belongs to %s, mode %04o, and not to %s", ownerOf(a), a.Mode, d.owner)
	e.Occupant = &hubhome.Owner{UID: a.UID, GID: a.GID}
	return e
}

// shared makes a directory that users share. One that is there with something in it is its admins', who may have given
// it another mode.
func (c *creator) shared(ctx context.Context, hub vfs.Handle, path, name string, mode uint32) error {
	d := c.directory(hub, name, join(path, name), mode)
	e, made, err := c.ensure(ctx, d)
	if err != nil || made {
		return err
	}
	if d.owned(&e.Attr) {
		c.note(d.path, Unchanged, &e.Attr, "")
		return nil
	}
	if empty, err := c.empty(ctx, e.Handle); err == nil && empty { // a kubelet makes it as root
		return c.change(ctx, d, e)
	}
	if ctx.Err() != nil {
		return fail(ctx, "list", d.path, ctx.Err())
	}
	c.note(d.path, Left, &e.Attr, "")
	return nil
}

// note adds a line to the report.
func (c *creator) note(path, action string, a *vfs.Attr, was string) {
	c.report.Directories = append(c.report.Directories, Directory{
		Path: path, Action: action, Owner: ownerOf(a), Mode: fmt.Sprintf("%04o", a.Mode), Was: was,
	})
}

func ownerOf(a *vfs.Attr) string { return hubhome.Owner{UID: a.UID, GID: a.GID}.String() }

func join(path, name string) string { return strings.TrimSuffix(path, "/") + "/" + name }
