// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
)

// crowdFiles is how many files the crowd shares: few, so that everybody is in everybody's way.
const crowdFiles = 3

// member is one of a crowd of clients that all do something at once. What goes wrong it says by the test's Errorf.
type member struct {
	*client
	random *rand.Rand
	name   string
}

// TestCrowd: many clients open, deny, lock, write, commit, rename and close the same few files at once. Nobody ever has what
// another has for itself, nothing is a fault of the server, and in the end nothing is left open.
func TestCrowd(t *testing.T) {
	b := newBed(t)
	for i := range crowdFiles {
		b.file("ada", fmt.Sprint("f", i), "0000000000000000")
	}
	rounds := 150
	if testing.Short() {
		rounds = 40
	}
	var members []*member
	for i := range 8 {
		name := fmt.Sprint("member", i)
		members = append(members, &member{b.client(name), rand.New(rand.NewPCG(1, uint64(i))), name})
	}
	var wg sync.WaitGroup
	for _, m := range members {
		wg.Go(func() {
			for range rounds {
				[]func(){m.exclusive, m.locked, m.shared, m.names}[m.random.IntN(4)]()
			}
		})
	}
	wg.Wait()
	for _, m := range members {
		m.alone(destroySession(m.session)).ok()
		m.alone(destroyClientID(m.id)).ok()
	}
	b.stop()
	if n := b.fs.OpenFiles(); n != 0 {
		t.Errorf("%d files are still open", n)
	}
	if len(b.recovery.kept) != 0 {
		t.Errorf("there are still records: %+v", b.recovery.kept)
	}
}

// request is send for a goroutine that must not end the test: nil where the answer is none of those.
func (m *member) request(ops []op, want ...nfs4.Status) *reply {
	m.seq++
	all := append([]op{sequence(m.session, m.seq, 0, false)}, ops...)
	r, err := tryCall(m, m.conn, &m.cred, encoder(2, all))
	if err != nil {
		m.Errorf("%s: %v", m.name, err)
		return nil
	}
	for _, s := range want {
		if r.status == s {
			return r
		}
	}
	m.Errorf("%s: the reply is %v; want %v", m.name, r, want)
	return nil
}

func (m *member) file() string { return fmt.Sprint("f", m.random.IntN(crowdFiles)) }

// opened opens one of the files; false where it could not.
func (m *member) opened(access nfs4.ShareAccess, deny nfs4.ShareDeny) (id nfs4.Stateid, h nfs4.Handle, ok bool) {
	r := m.request(at("ada", open(m.name, m.file(), access, deny), getFH()), nfs4.OK, nfs4.ErrShareDenied, nfs4.ErrNoEnt)
	if r == nil || r.status != nfs4.OK {
		return id, h, false
	}
	return res[nfs4.OpenRes](r).Stateid, res[nfs4.GetFHRes](r).Object, true
}

// mine writes to a range and reads it again: nobody else may have written there meanwhile.
func (m *member) mine(h nfs4.Handle, id nfs4.Stateid, offset uint64) {
	data := fmt.Sprintf("%-8.8s", m.name[6:])
	for range 3 {
		r := m.request([]op{putFH(h), write(id, offset, nfs4.Unstable, data)}, nfs4.OK)
		again := m.request([]op{putFH(h), read(id, offset, 8)}, nfs4.OK)
		if r == nil || again == nil {
			return
		}
		if got := string(res[nfs4.ReadRes](again).Data); got != data {
			m.Errorf("%s wrote %q for itself and reads %q", m.name, data, got)
		}
	}
}

// exclusive denies everything to all others.
func (m *member) exclusive() {
	id, h, ok := m.opened(rw, denyBoth)
	if !ok {
		return
	}
	m.mine(h, id, 0)
	m.request([]op{putFH(h), commit(), closeFile(id)}, nfs4.OK)
}

// locked locks one of two ranges.
func (m *member) locked() {
	id, h, ok := m.opened(rw, denyNone)
	if !ok {
		return
	}
	offset := uint64(m.random.IntN(2) * 8)
	r := m.request([]op{putFH(h), lockNew(id, "owner", nfs4.WriteLock, offset, 8)}, nfs4.OK, nfs4.ErrDenied)
	if r != nil && r.status == nfs4.OK {
		lockID := res[nfs4.LockRes](r).LockStateid
		m.mine(h, lockID, offset)
		m.request([]op{putFH(h), lockU(lockID, offset, 8)}, nfs4.OK)
	}
	m.request([]op{putFH(h), closeFile(id)}, nfs4.OK)
}

// shared reads, with an upgrade and a downgrade.
func (m *member) shared() {
	id, h, ok := m.opened(r, denyNone)
	if !ok {
		return
	}
	m.request([]op{putFH(h), read(id, 0, 100), getAttr(nfs4.AttrSize, nfs4.AttrChange)}, nfs4.OK)
	up := m.request([]op{putFH(h), openClaim(m.name, nfs4.ClaimFH, w, denyNone)}, nfs4.OK, nfs4.ErrShareDenied)
	if up != nil && up.status == nfs4.OK {
		id = res[nfs4.OpenRes](up).Stateid
		if down := m.request([]op{putFH(h), downgrade(id, r, denyNone)}, nfs4.OK); down != nil {
			id = res[nfs4.OpenDowngradeRes](down).OpenStateid
		}
	}
	m.request([]op{putFH(h), closeFile(id)}, nfs4.OK)
}

// names makes and moves files, also over those that others have open.
func (m *member) names() {
	r := m.request(at("ada", openNew(m.name, m.name, nfs4.CreateUnchecked, set(nfs4.Attrs{Mode: 0o666, Size: 16}, nfs4.AttrMode, nfs4.AttrSize)), getFH()), nfs4.OK)
	if r == nil {
		return
	}
	id, h := res[nfs4.OpenRes](r).Stateid, res[nfs4.GetFHRes](r).Object
	m.request([]op{putFH(h), write(id, 0, nfs4.Unstable, m.name)}, nfs4.OK)
	m.request(at("ada", saveFH(), rename(m.name, m.file())), nfs4.OK)
	m.request([]op{putFH(h), read(id, 0, 4), closeFile(id)}, nfs4.OK)
}
