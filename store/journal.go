// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

// The journal says which homes have been changed since the ledger was persisted: of these the ledger is not believed after a
// crash. It is two files of a fixed size that are written in place, so that a full disk does not keep anybody from removing
// files; one for each of two generations of the ledger, so that the next can begin while the last is in force.
const (
	journalSlots = 32 << 10
	slotSize     = 16
	journalSize  = journalSlots * slotSize
	// allHomes stands in a slot for every home: the journal is full.
	allHomes vfs.HomeID = 0
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// journal keeps the marks. Methods may be called concurrently.
type journal struct {
	disk  *disk.Disk
	dir   int
	files [2]int
	// lost removes the ledger from the disk, for when no mark can be made: then no home is believed.
	lost func() error

	mu sync.Mutex
	// current is the generation of the ledger on the disk; next one that is being persisted. 0: there is none.
	current, next uint64
	used          [2]int // slots
	// persisting: a ledger is being written, of the generation next. persisted is told when it is not any more.
	persisting bool
	persisted  *sync.Cond
	waiting    *marks
	writing    bool
}

// marks are the homes that are marked with one write.
type marks struct {
	homes      []vfs.HomeID
	done       chan struct{}
	generation uint64
	err        error
}

func journalName(i int) string { return "dirty." + strconv.Itoa(i) }

// openJournal opens the journal's files, and makes them where they are missing. made: there was none, so that nothing is
// known of what was changed.
func openJournal(d *disk.Disk, dir int, lost func() error) (_ *journal, made bool, err error) {
	j := &journal{disk: d, dir: dir, files: [2]int{-1, -1}, lost: lost}
	j.persisted = sync.NewCond(&j.mu)
	for i := range j.files {
		fresh, err := j.open(i)
		if err != nil {
			j.close()
			return nil, made, err
		}
		made = made || fresh
	}
	return j, made, nil
}

// open opens a file of the journal, or makes it.
func (j *journal) open(i int) (made bool, err error) {
	name := journalName(i)
	var st disk.Stat
	if err := j.disk.Stat(j.dir, name, &st); err != nil || st.Size != journalSize {
		made = true
		if err := j.disk.WriteFile(j.dir, name, make([]byte, journalSize), 0o600); err != nil {
			return made, fmt.Errorf("make %s: %w", name, err)
		}
	}
	if j.files[i], err = j.disk.Open(j.dir, name, unix.O_RDWR, 0); err != nil {
		return made, fmt.Errorf("open %s: %w", name, err)
	}
	return made, nil
}

func (j *journal) close() {
	for i, fd := range j.files {
		if fd >= 0 {
			disk.Close(fd)
		}
		j.files[i] = -1
	}
}

// slot writes a mark.
func slot(b []byte, home vfs.HomeID, generation uint64) {
	binary.BigEndian.PutUint64(b, uint64(home))
	binary.BigEndian.PutUint32(b[8:], uint32(generation))
	binary.BigEndian.PutUint32(b[12:], crc32.Checksum(b[:12], castagnoli))
}

// load reads the marks of a generation, which is the one in force from here on. all: every home is marked.
func (j *journal) load(generation uint64) (marked map[vfs.HomeID]bool, all bool, err error) {
	j.current = generation
	marked = map[vfs.HomeID]bool{}
	fd := j.files[generation%2]
	buf := make([]byte, journalSize)
	for off := 0; off < len(buf); {
		n, err := j.disk.Read(fd, buf[off:], int64(off))
		if err != nil {
			return nil, false, fmt.Errorf("read %s: %w", journalName(int(generation%2)), err)
		}
		if n == 0 {
			break
		}
		off += n
	}
	for i := range journalSlots {
		b := buf[i*slotSize:][:slotSize]
		if binary.BigEndian.Uint32(b[8:]) != uint32(generation) || binary.BigEndian.Uint32(b[12:]) != crc32.Checksum(b[:12], castagnoli) {
			continue // of an earlier generation, or torn: then nothing was changed yet
		}
		home := vfs.HomeID(binary.BigEndian.Uint64(b))
		marked[home] = true
		all = all || home == allHomes
		j.used[generation%2] = i + 1
	}
	return marked, all, nil
}

// begin begins a generation: from here on marks are made in it too.
func (j *journal) begin(generation uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.persisting = true
	if j.next != generation {
		j.next, j.used[generation%2] = generation, 0
	}
}

// end says that the ledger of the generation that was begun is on the disk, or after an error that it may or may not be, and
// will be written again.
func (j *journal) end(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.persisting = false
	j.persisted.Broadcast()
	if err == nil {
		j.current, j.next = j.next, 0
	}
}

// mark makes durable that a home is being changed, together with whoever else wants one marked. It returns the latest
// generation for which it is.
func (j *journal) mark(home vfs.HomeID) (uint64, error) {
	j.mu.Lock()
	mine := j.waiting
	if mine == nil {
		mine = &marks{done: make(chan struct{})}
		j.waiting = mine
	}
	mine.homes = append(mine.homes, home)
	lead := !j.writing
	j.writing = true
	for lead && j.waiting != nil {
		now := j.waiting
		j.waiting = nil
		now.generation, now.err = j.write(now.homes)
		close(now.done)
	}
	if lead {
		j.writing = false
	}
	j.mu.Unlock()
	<-mine.done
	return mine.generation, mine.err
}

// write writes marks into the generations that there are. j.mu is held, but not while the disk works.
func (j *journal) write(homes []vfs.HomeID) (uint64, error) {
	latest := max(j.current, j.next)
	type target struct{ file, at, end int }
	var targets []target
	var slots [2][]byte
	for _, generation := range []uint64{j.current, j.next} {
		if generation == 0 {
			continue
		}
		i := int(generation % 2)
		at := j.used[i]
		homes := homes
		if at+len(homes) >= journalSlots {
			if at == journalSlots {
				continue // it says so of all homes
			}
			homes, at = []vfs.HomeID{allHomes}, journalSlots-1
		}
		for _, home := range homes {
			var b [slotSize]byte
			slot(b[:], home, generation)
			slots[i] = append(slots[i], b[:]...)
		}
		j.used[i] = at + len(homes)
		targets = append(targets, target{i, at, j.used[i]})
	}
	j.mu.Unlock()
	var err error
	for _, t := range targets {
		if err = writeAll(j.disk, j.files[t.file], slots[t.file], int64(t.at*slotSize)); err == nil {
			err = j.disk.Sync(j.files[t.file])
		}
		if err != nil {
			break
		}
	}
	j.mu.Lock()
	for _, t := range targets {
		if err != nil && j.used[t.file] == t.end { // no generation has begun in it meanwhile
			j.used[t.file] = t.at
		}
	}
	if noRoom(err) {
		// A file system that writes nothing in place.
		if j.persisting {
			for j.persisting { // the ledger that is being persisted would be believed
				j.persisted.Wait()
			}
			return j.write(homes)
		}
		err = j.lost()
	}
	if err != nil {
		return 0, fmt.Errorf("note that a home is being changed: %w", err)
	}
	return latest, nil
}

// writeAll writes all of p.
func writeAll(d *disk.Disk, fd int, p []byte, off int64) error {
	for len(p) > 0 {
		n, err := d.Write(fd, p, off)
		if err != nil {
			return err
		}
		if n == 0 {
			return syscall.EIO
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}
