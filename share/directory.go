// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package share

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/vfs"
)

// directory is one that has to be there: its name in a directory, its path for messages, and how it is to be.
type directory struct {
	dir   vfs.Handle
	name  string
	path  string
	owner hubhome.Owner
	mode  uint32
	// by is who may make it, in the order in which they try.
	by []*vfs.Caller
}

// directory returns one that is to belong to the owner. The owner tries first: what the owner makes is born right, and no
// root is needed where the directory above is the owner's to write in.
func (c *creator) directory(dir vfs.Handle, name, path string, mode uint32) *directory {
	return &directory{dir: dir, name: name, path: path, owner: c.spec.Owner, mode: mode, by: []*vfs.Caller{c.owner, c.root}}
}

// owned and moded tell whether owner and mode are right. A set-group-id bit that was not asked for is: a directory hands it
// down to those in it, and whoever set it there meant that.
func (d *directory) owned(a *vfs.Attr) bool { return a.UID == d.owner.UID && a.GID == d.owner.GID }
func (d *directory) moded(a *vfs.Attr) bool {
	return a.Mode == d.mode || a.Mode == d.mode|syscall.S_ISGID
}

// find looks for a directory. ENOENT is handed on; something else in its place is an *Error.
func (c *creator) find(ctx context.Context, d *directory) (vfs.Entry, error) {
	e, err := c.fs.Lookup(ctx, c.root, d.dir, d.name)
	if denied(err) { // root is nobody here, and the directory above is not open to everybody
		e, err = c.fs.Lookup(ctx, c.owner, d.dir, d.name)
	}
	switch {
	case errors.Is(err, syscall.ENOENT):
		return e, err
	case err != nil:
		return e, fail(ctx, "look for", d.path, err)
	case e.Attr.Type == vfs.Symlink:
		return e, fail(ctx, "use", d.path, syscall.ENOTDIR).seen("it is a symbolic link")
	case e.Attr.Type != vfs.Directory:
		return e, fail(ctx, "use", d.path, syscall.ENOTDIR)
	}
	return e, nil
}

// ensure finds a directory, or makes it and has it noted.
func (c *creator) ensure(ctx context.Context, d *directory) (e vfs.Entry, made bool, err error) {
	e, err = c.find(ctx, d)
	if err == nil {
		e.Attr = c.recognize(ctx, d, e)
	}
	if !errors.Is(err, syscall.ENOENT) {
		return e, false, err
	}
	e, by, err := c.mkdir(ctx, d)
	if errors.Is(err, syscall.EEXIST) { // by somebody else, or by ourselves, and the answer was lost
		e, err = c.find(ctx, d)
		return e, false, err
	}
	if err != nil {
		return e, false, fail(ctx, "make", d.path, err)
	}
	born := e.Attr
	if e.Attr, err = c.complete(ctx, d, e); err != nil {
		c.undo(ctx, d)
		failure := fail(ctx, "make", d.path, err).seen("the server has a new directory belong to %s, mode %04o", ownerOf(&born), born.Mode)
		failure.AsOwner = by == c.owner
		return e, false, failure
	}
	c.note(d.path, Made, &e.Attr, "")
	return e, true, nil
}

// recognize returns the attributes of a directory that is there, with the owner where it is the owner's. By NFSv4 a server
// may send a name instead of a number (RFC 8881 section 5.9): Ganesha does where its machine has a user of that number, as
// many machines have one of 1000. Whether it is the owner is found by having the owner give it to itself, which is
// permitted to nobody else but root, and changes nothing (chown(2)).
func (c *creator) recognize(ctx context.Context, d *directory, e vfs.Entry) vfs.Attr {
	if d.owned(&e.Attr) || e.Attr.UID != vfs.Nobody && e.Attr.GID != vfs.Nobody {
		return e.Attr
	}
	a, err := c.fs.SetAttr(ctx, c.owner, e.Handle, vfs.SetAttr{UID: &d.owner.UID, GID: &d.owner.GID})
	if err != nil {
		return e.Attr
	}
	a.UID, a.GID = d.owner.UID, d.owner.GID
	return a
}

// mkdir makes a directory with its owner and mode in one request. by is who made it, or was the last to try.
func (c *creator) mkdir(ctx context.Context, d *directory) (e vfs.Entry, by *vfs.Caller, err error) {
	for _, caller := range d.by {
		by = caller
		set := vfs.SetAttr{Mode: &d.mode}
		if caller.UID != d.owner.UID {
			set.UID, set.GID = &d.owner.UID, &d.owner.GID
		}
		e, _, err = c.fs.Mkdir(ctx, caller, d.dir, d.name, set)
		if !denied(err) {
			return e, by, err
		}
		if caller == c.root {
			c.undo(ctx, d)
		}
	}
	return e, by, err
}

// complete sees that a new directory is what was asked for. A server's defaults, a set-group-id bit of the directory
// above, or a squashed user may have made it another.
func (c *creator) complete(ctx context.Context, d *directory, e vfs.Entry) (vfs.Attr, error) {
	if d.owned(&e.Attr) && d.moded(&e.Attr) {
		return e.Attr, nil
	}
	return c.dress(ctx, d, e)
}

// dress gives a directory its owner and mode: as its owner where that is enough, else as root.
func (c *creator) dress(ctx context.Context, d *directory, e vfs.Entry) (vfs.Attr, error) {
	set := vfs.SetAttr{Mode: &d.mode}
	if e.Attr.GID != d.owner.GID {
		set.GID = &d.owner.GID
	}
	caller := c.owner
	if e.Attr.UID != d.owner.UID {
		set.UID, caller = &d.owner.UID, c.root
	}
	a, err := c.fs.SetAttr(ctx, caller, e.Handle, set)
	if denied(err) && caller == c.owner {
		a, err = c.fs.SetAttr(ctx, c.root, e.Handle, set)
	}
	if err == nil && !(d.owned(&a) && d.moded(&a)) {
		err = syscall.EPERM // the server says that it did, and did not
	}
	return a, err
}

// change dresses a directory that was there before.
func (c *creator) change(ctx context.Context, d *directory, e vfs.Entry) error {
	was := fmt.Sprintf("%s %04o", ownerOf(&e.Attr), e.Attr.Mode)
	a, err := c.dress(ctx, d, e)
	if err != nil {
		return fail(ctx, "set owner and mode of", d.path, err).seen("they are %s", was)
	}
	c.note(d.path, Changed, &a, was)
	return nil
}

// undo removes a directory that was made and cannot be made right, such as one that a server made for root whom it takes
// for nobody. One that has something in it cannot be removed; one that is right is another run's.
func (c *creator) undo(ctx context.Context, d *directory) {
	ctx, cancel := lastCall(ctx)
	defer cancel()
	e, err := c.fs.Lookup(ctx, c.root, d.dir, d.name)
	if err != nil || d.owned(&e.Attr) || e.Attr.Type != vfs.Directory {
		return
	}
	if _, _, err := c.fs.Remove(ctx, c.owner, d.dir, d.name); err != nil {
		c.fs.Remove(ctx, c.root, d.dir, d.name)
	}
}

// empty tells whether a directory has no entries.
func (c *creator) empty(ctx context.Context, dir vfs.Handle) (bool, error) {
	empty := true
	first := func(*vfs.DirEntry) bool {
		empty = false
		return false
	}
	_, err := c.fs.ReadDir(ctx, c.root, dir, 0, false, first)
	if denied(err) {
		_, err = c.fs.ReadDir(ctx, c.owner, dir, 0, false, first)
	}
	return empty, err
}

// maxNames is how many names a message tells.
const maxNames = 20

// names are the first entries of a directory; none where it cannot be read.
func (c *creator) names(ctx context.Context, dir vfs.Handle) []string {
	var names []string
	c.fs.ReadDir(ctx, c.root, dir, 0, false, func(e *vfs.DirEntry) bool {
		names = append(names, fmt.Sprintf("%q", e.Name))
		return len(names) < maxNames
	})
	return names
}
