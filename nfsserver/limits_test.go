// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
)

// TestClientsFull: records that were never confirmed make room for others, those of clients with a session do not, and
// who finds no room is told to come again.
func TestClientsFull(t *testing.T) {
	if testing.Short() {
		t.Skip("makes tens of thousands of clients")
	}
	d := newDesk(t, someConn(t))
	fore := channel
	fore.MaxRequests = 1
	d.begin("first", fore)
	forgotten := res[nfs4.ExchangeIDRes](d.ask(exchangeID("forgotten", nfs4.Verifier{}, 0)))
	for i := range 20_000 {
		d.ask(exchangeID(fmt.Sprint("unconfirmed", i), nfs4.Verifier{}, 0))
	}
	d.hand(encoded(createSession(forgotten.ClientID, forgotten.SequenceID, fore))).is(nfs4.ErrStaleClientID)
	d.send(putRootFH()).ok()

	session, seq := d.session, d.seq
	for i := range 20_000 {
		r := d.hand(encoded(exchangeID(fmt.Sprint("confirmed", i), nfs4.Verifier{}, 0))).is(nfs4.OK, nfs4.ErrDelay)
		if r.status == nfs4.ErrDelay {
			d.session, d.seq = session, seq
			d.send(putRootFH()).ok()
			return
		}
		id := res[nfs4.ExchangeIDRes](r)
		d.ask(createSession(id.ClientID, id.SequenceID, fore))
	}
	t.Error("20,000 clients have sessions, and there is room for more")
}

// TestLingering: files that were closed with unsynced data are kept open for their COMMIT, but not without end.
func TestLingering(t *testing.T) {
	d := newDesk(t, someConn(t))
	d.begin("a", channel)
	const files = 700
	most := 0
	for i := range files {
		d.send(at("ada", openNew("o", fmt.Sprint("file", i), nfs4.CreateGuarded, nfs4.Fattr{}),
			write(nfs4.CurrentStateid, 0, nfs4.Unstable, "data"), closeFile(nfs4.CurrentStateid))...).ok()
		most = max(most, d.fs.OpenFiles())
	}
	if most < 100 || most > 600 {
		t.Errorf("of %d files with unsynced data %d were kept open", files, most)
	}
	d.fs.Crash()
	synced := 0
	for i := range files {
		if r := d.send(at("ada", lookup(fmt.Sprint("file", i)), getAttr(nfs4.AttrSize))...).ok(); decodeSize(t, r) == 4 {
			synced++
		}
	}
	if synced < files-600 {
		t.Errorf("%d of %d files were synced", synced, files)
	}
}

// TestLingeringRemoved: a file with unsynced data in it is closed at once when its last name and its last open have gone,
// in whatever order: until then it takes space.
func TestLingeringRemoved(t *testing.T) {
	d := newDesk(t, someConn(t))
	d.begin("a", channel)
	unsynced := func(name string, then op) *reply {
		t.Helper()
		return d.send(at("ada", openNew("o", name, nfs4.CreateGuarded, nfs4.Fattr{}),
			write(nfs4.CurrentStateid, 0, nfs4.Unstable, "data"), then)...).ok()
	}
	shut := closeFile(nfs4.CurrentStateid)
	open := func(want int, after string) {
		t.Helper()
		if n := d.fs.OpenFiles(); n != want {
			t.Errorf("%s: %d files are open, want %d", after, n, want)
		}
	}
	unsynced("a", shut)
	open(1, "closed with unsynced data")
	d.send(at("ada", remove("a"))...).ok()
	open(0, "removed after that")

	unsynced("b", shut)
	open(1, "another, closed with unsynced data")
	d.send(at("ada", saveFH(), rename("f", "b"))...).ok()
	open(0, "replaced after that")

	r := unsynced("c", getFH())
	id, h := res[nfs4.OpenRes](r).Stateid, res[nfs4.GetFHRes](r).Object
	d.send(at("ada", remove("c"))...).ok()
	open(1, "removed while it is open")
	d.send(putFH(h), closeFile(id)).ok()
	open(0, "closed after that")

	unsynced("e", shut)
	d.send(append(at("ada", lookup("e"), saveFH()), at("ada", link("e2"))...)...).ok()
	d.send(at("ada", remove("e"))...).ok()
	open(1, "another name is left")
}

// decodeSize returns the size in a reply.
func decodeSize(t *testing.T, r *reply) uint64 {
	t.Helper()
	var a nfs4.Attrs
	if _, status := a.Decode(&res[nfs4.GetAttrRes](r).ObjAttributes); status != nfs4.OK {
		t.Fatal(status)
	}
	return a.Size
}

// lockModel is how each owner has each byte locked.
type lockModel [3][lockBytes]nfs4.LockType

const lockBytes = 24

// conflicts tells whether another owner is in the way of a lock.
func (m *lockModel) conflicts(owner int, t nfs4.LockType, first, length int) bool {
	for other := range m {
		for i := first; i < first+length; i++ {
			if other != owner && m[other][i] != 0 && (t == nfs4.WriteLock || m[other][i] == nfs4.WriteLock) {
				return true
			}
		}
	}
	return false
}

func (m *lockModel) set(owner int, t nfs4.LockType, first, length int) {
	for i := first; i < first+length; i++ {
		m[owner][i] = t
	}
}

// TestLocksAgreeWithModel: whatever three owners lock, unlock and ask for, the answers are those of a model that knows
// nothing but bytes.
func TestLocksAgreeWithModel(t *testing.T) {
	d := newDesk(t, someConn(t))
	d.begin("a", channel)
	o := d.send(at("ada", open("o", "f", rw, denyNone), getFH())...).ok()
	openID, h := res[nfs4.OpenRes](o).Stateid, res[nfs4.GetFHRes](o).Object
	random := rand.New(rand.NewPCG(3, 4))
	var model lockModel
	var ids [3]nfs4.Stateid
	for step := range 3000 {
		who := random.IntN(len(model))
		typ := nfs4.LockType(1 + random.IntN(2))
		first := random.IntN(lockBytes)
		length := 1 + random.IntN(lockBytes-first)
		name := fmt.Sprint("owner", who)
		want := nfs4.OK
		if model.conflicts(who, typ, first, length) {
			want = nfs4.ErrDenied
		}
		var r *reply
		switch how := random.IntN(3); {
		case how == 0:
			r = d.send(putFH(h), lockT(name, typ, uint64(first), uint64(length)))
		case how == 1 && ids[who] != (nfs4.Stateid{}):
			r, want = d.send(putFH(h), lockU(ids[who], uint64(first), uint64(length))), nfs4.OK
			ids[who].Seqid++
			model.set(who, 0, first, length)
		default:
			request := lock(ids[who], typ, uint64(first), uint64(length))
			if ids[who] == (nfs4.Stateid{}) {
				request = lockNew(openID, name, typ, uint64(first), uint64(length))
			}
			if r = d.send(putFH(h), request); want == nfs4.OK {
				ids[who] = res[nfs4.LockRes](r).LockStateid
				model.set(who, typ, first, length)
			}
		}
		if r.status != want {
			t.Fatalf("step %d: %v, want %v, with %v", step, r, want, model)
		}
		if r.status == nfs4.ErrDenied {
			hit := res[nfs4.LockDenied](r)
			var holder int
			if _, err := fmt.Sscanf(string(hit.Owner.Owner), "owner%d", &holder); err != nil {
				t.Fatal(err)
			}
			for i := hit.Offset; i < hit.Offset+hit.Length; i++ {
				if model[holder][i] != hit.LockType {
					t.Fatalf("step %d: in the way is said to be %+v, with %v", step, hit, model)
				}
			}
		}
	}
}
