// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"fmt"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsserver"
	"github.com/hubhome/hubhome/oncrpc"
)

// TestSquash: whom the server takes a client's user for. Here the owner to squash to is 1000:1000.
func TestSquash(t *testing.T) {
	type user struct{ uid, gid uint32 }
	root, ada, other := sys(0, 0), sys(1000, 1000), sys(3000, 4000)
	rootsGroup := sys(3000, 0, 0)
	none := oncrpc.Cred{Flavor: oncrpc.AuthNone}
	for squash, want := range map[nfsserver.Squash]map[*oncrpc.Cred]user{
		nfsserver.SquashAll:  {&root: {1000, 1000}, &ada: {1000, 1000}, &other: {1000, 1000}, &rootsGroup: {1000, 1000}, &none: {1000, 1000}},
		nfsserver.SquashRoot: {&root: {1000, 1000}, &ada: {1000, 1000}, &other: {3000, 4000}, &rootsGroup: {3000, 1000}, &none: {65534, 65534}},
		nfsserver.SquashNone: {&root: {0, 0}, &ada: {1000, 1000}, &other: {3000, 4000}, &rootsGroup: {3000, 0}, &none: {65534, 65534}},
	} {
		b := newBed(t, withSquash(squash))
		mode := uint32(0o777)
		_, err := b.fs.SetAttr(t.Context(), nil, b.find(hub, "ada"), setModeOf(mode))
		b.must("open the home to all", err)
		c := b.client("a")
		i := 0
		for cred, who := range want {
			i++
			a := c.decode(c.sendAs(cred, at("ada", mkdir(fmt.Sprint(i)), getAttr(nfs4.AttrOwner, nfs4.AttrOwnerGroup))...).ok())
			if got := (user{a.Owner.ID, a.OwnerGroup.ID}); got != who {
				t.Errorf("squash %d takes %+v for %v, want %v", squash, cred, got, who)
			}
		}
	}
}

// TestSquashGroups: supplementary groups count, root's own does not where root is squashed.
func TestSquashGroups(t *testing.T) {
	for squash, want := range map[nfsserver.Squash]nfs4.Status{nfsserver.SquashRoot: nfs4.ErrAccess, nfsserver.SquashNone: nfs4.OK} {
		b := newBed(t, withSquash(squash))
		h := b.file("ada", "roots", "x")
		zero, group := uint32(0), uint32(0o040)
		set := setModeOf(group)
		set.UID, set.GID = &zero, &zero
		_, err := b.fs.SetAttr(t.Context(), nil, h, set)
		b.must("give the file to root's group", err)
		c := b.client("a")
		cred := sys(3000, 3000, 7, 0, 9)
		c.sendAs(&cred, at("ada", open("o", "roots", r, denyNone))...).is(want)
	}
}

// TestSquashPrincipal: who a client is to the protocol is who it says, squashed or not.
func TestSquashPrincipal(t *testing.T) {
	b := newBed(t, withSquash(nfsserver.SquashAll))
	b.client("a")
	thief := b.newClient("a")
	thief.cred = sys(2000, 2000)
	thief.alone(exchangeID("a", thief.verifier, 0)).is(nfs4.ErrClidInUse)
}

// TestSetIdentity: a change of the settings is of the next request on.
func TestSetIdentity(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	c.cred = sys(3000, 3000)
	c.in("ada", mkdir("d")).is(nfs4.ErrAccess)
	settings := b.settings
	settings.Identity.Squash = nfsserver.SquashAll
	b.server.Set(settings)
	c.in("ada", mkdir("d")).ok()
	if a := c.attrs("ada/d", nfs4.AttrOwner); a.Owner.ID != 1000 {
		t.Errorf("the directory belongs to %d", a.Owner.ID)
	}
}
